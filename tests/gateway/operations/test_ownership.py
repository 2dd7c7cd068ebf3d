from __future__ import annotations

import pytest

from gateway.operations.buckets import create_bucket
from gateway.operations.ownership import (
    delete_bucket_ownership_controls,
    get_bucket_ownership_controls,
    object_ownership,
    put_bucket_ownership_controls,
)
from gateway.s3.errors import S3Error
from tests.gateway.conftest import NewContext


def rules(ownership: str) -> dict[str, object]:
    return {"rules": [{"object_ownership": ownership}]}


async def test_acls_are_off_in_a_new_bucket(context: NewContext) -> None:
    await create_bucket(context(), "made")
    assert object_ownership(context("made").here) == "BucketOwnerEnforced"
    found = await get_bucket_ownership_controls(context("made"), "made")
    assert found == {"ownership_controls": rules("BucketOwnerEnforced")}


async def test_a_bucket_may_be_made_with_acls(context: NewContext) -> None:
    await create_bucket(context(), "made", object_ownership="BucketOwnerPreferred")
    assert object_ownership(context("made").here) == "BucketOwnerPreferred"


async def test_what_was_put_counts(context: NewContext) -> None:
    await create_bucket(context(), "made")
    await put_bucket_ownership_controls(context("made"), "made", rules("ObjectWriter"))
    assert object_ownership(context("made").here) == "ObjectWriter"


async def test_without_controls_acls_count(context: NewContext) -> None:
    await create_bucket(context(), "made")
    await delete_bucket_ownership_controls(context("made"), "made")
    assert object_ownership(context("made").here) == "ObjectWriter"
    with pytest.raises(S3Error, match="OwnershipControlsNotFoundError"):
        await get_bucket_ownership_controls(context("made"), "made")


@pytest.mark.parametrize("count", [0, 2])
async def test_there_is_one_rule(context: NewContext, count: int) -> None:
    await create_bucket(context(), "made")
    with pytest.raises(S3Error, match="MalformedXML"):
        await put_bucket_ownership_controls(
            context("made"), "made", {"rules": count * [{"object_ownership": "ObjectWriter"}]}
        )
