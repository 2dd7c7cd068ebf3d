from __future__ import annotations

import pytest

from gateway.access.public import BLOCKS, blocks
from gateway.operations.buckets import create_bucket
from gateway.operations.public_access import (
    delete_public_access_block,
    get_public_access_block,
    put_public_access_block,
)
from gateway.s3.errors import S3Error
from tests.gateway.conftest import NewContext


async def test_a_new_bucket_blocks_everything(context: NewContext) -> None:
    await create_bucket(context(), "made")
    found = await get_public_access_block(context("made"), "made")
    assert found == {"public_access_block_configuration": dict.fromkeys(BLOCKS, True)}
    assert blocks(context("made").here, "block_public_acls")


@pytest.mark.parametrize("block", BLOCKS)
async def test_each_block_for_itself(context: NewContext, block: str) -> None:
    await create_bucket(context(), "made")
    await put_public_access_block(context("made"), "made", {block: True})
    found = await get_public_access_block(context("made"), "made")
    assert found == {"public_access_block_configuration": {each: each == block for each in BLOCKS}}
    assert blocks(context("made").here, "block_public_acls") == (block == "block_public_acls")


async def test_a_block_that_was_deleted_blocks_nothing(context: NewContext) -> None:
    await create_bucket(context(), "made")
    await delete_public_access_block(context("made"), "made")
    assert not blocks(context("made").here, "block_public_acls")
    with pytest.raises(S3Error, match="NoSuchPublicAccessBlockConfiguration"):
        await get_public_access_block(context("made"), "made")
