from __future__ import annotations

from typing import Any

import pytest

from catalog.lifecycle import DEFAULT_MINIMUM, Expiration, Filter, Rule, configuration
from gateway.operations.buckets import create_bucket
from gateway.operations.lifecycle import (
    delete_bucket_lifecycle,
    get_bucket_lifecycle_configuration,
    put_bucket_lifecycle_configuration,
)
from gateway.s3.errors import S3Error
from tests.gateway.conftest import NewContext

RULE: dict[str, Any] = {"id": "a", "status": "Enabled", "filter": {}, "expiration": {"days": 1}}


async def test_what_was_put_is_kept_with_the_bucket(context: NewContext) -> None:
    await create_bucket(context(), "made")
    await put_bucket_lifecycle_configuration(context("made"), "made", {"rules": [RULE]})
    held = configuration(context("made").here)
    assert held is not None
    assert held.rules == (Rule("Enabled", "a", filter=Filter(), expiration=Expiration(days=1)),)
    assert await get_bucket_lifecycle_configuration(context("made"), "made") == {
        "rules": [RULE],
        "transition_default_minimum_object_size": DEFAULT_MINIMUM,
    }


async def test_deleting_leaves_none(context: NewContext) -> None:
    await create_bucket(context(), "made")
    unchanged = context("made").here
    await delete_bucket_lifecycle(context("made"), "made")
    assert context("made").here == unchanged
    await put_bucket_lifecycle_configuration(context("made"), "made", {"rules": [RULE]})
    await delete_bucket_lifecycle(context("made"), "made")
    assert configuration(context("made").here) is None
    with pytest.raises(S3Error) as refused:
        await get_bucket_lifecycle_configuration(context("made"), "made")
    assert refused.value.code == "NoSuchLifecycleConfiguration"


@pytest.mark.parametrize("given", [None, {}, {"rules": []}])
async def test_no_rules_are_no_configuration(context: NewContext, given: dict[str, Any] | None) -> None:
    await create_bucket(context(), "made")
    with pytest.raises(S3Error) as refused:
        await put_bucket_lifecycle_configuration(context("made"), "made", given)
    assert refused.value.code == "MalformedXML"
