"""The public access block: on by default, as AWS's. Nothing is public here, so what it can refuse is ACLs."""

from __future__ import annotations

from typing import Any

from catalog.records import Bucket
from gateway.operations import Context
from gateway.operations.configurations import keep, kept
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

BLOCKS = ("block_public_acls", "ignore_public_acls", "block_public_policy", "restrict_public_buckets")
SETTING = "public_access_block"
# Kept are the names of those that are on; of a bucket whose block was deleted, this in their place.
ALL = " ".join(BLOCKS)
_DELETED = "deleted"


@operation
async def get_public_access_block(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html"""
    found = kept(cx.here, SETTING, ALL)
    if found == _DELETED:
        raise S3Error("NoSuchPublicAccessBlockConfiguration", fields={"BucketName": bucket})
    on = found.split()
    return {"public_access_block_configuration": {block: block in on for block in BLOCKS}}


@operation
async def put_public_access_block(cx: Context, bucket: str, public_access_block_configuration: dict[str, bool]) -> None:
    """A block that is left out is off.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutPublicAccessBlock.html
    """
    await keep(cx, SETTING, " ".join(block for block in BLOCKS if public_access_block_configuration.get(block)))


@operation
async def delete_public_access_block(cx: Context, bucket: str) -> None:
    await keep(cx, SETTING, _DELETED)


def blocks_public_acls(bucket: Bucket) -> bool:
    return "block_public_acls" in kept(bucket, SETTING, ALL).split()
