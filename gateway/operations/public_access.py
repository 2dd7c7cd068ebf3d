"""The public access block: all of it on by default, as AWS's. `gateway.access.public` says what it does."""

from __future__ import annotations

from typing import Any

from gateway.access.public import ALL, BLOCKS, DELETED, SETTING
from gateway.operations import Context
from gateway.operations.configurations import keep, kept
from gateway.s3.errors import S3Error
from gateway.s3.model import operation


@operation
async def get_public_access_block(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html"""
    found = kept(cx.here, SETTING, ALL)
    if found == DELETED:
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
    await keep(cx, SETTING, DELETED)
