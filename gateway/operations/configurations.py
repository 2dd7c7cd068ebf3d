"""What is kept with a bucket of each configuration it was given."""

from __future__ import annotations

import msgspec

from catalog.records import Bucket
from gateway.operations import Context


def kept(bucket: Bucket, name: str, default: str) -> str:
    return (bucket.settings or {}).get(name, default)


async def keep(cx: Context, name: str, value: str) -> None:
    def change(found: Bucket) -> Bucket:
        return msgspec.structs.replace(found, settings={**(found.settings or {}), name: value})

    await cx.catalog.update_bucket(cx.origin, cx.here.name, change)
