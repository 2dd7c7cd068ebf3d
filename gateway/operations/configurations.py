"""What is kept with a bucket of each configuration it was given."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from catalog.records import Bucket
from gateway.operations import Context


def kept(bucket: Bucket, name: str, default: str) -> str:
    return (bucket.settings or {}).get(name, default)


async def keep(cx: Context, name: str, value: str | None) -> None:
    """None takes it away."""
    await cx.catalog.update_bucket(cx.origin, cx.here.name, lambda found: changed(found, {name: value}))


def changed(bucket: Bucket, given: Mapping[str, str | None]) -> Bucket:
    """As `keep`, several. A bucket that is left without any is as one that never had one: a PUT asks it nothing."""
    settings = {name: value for name, value in ((bucket.settings or {}) | dict(given)).items() if value is not None}
    return msgspec.structs.replace(bucket, settings=settings or None)
