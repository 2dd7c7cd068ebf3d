"""Object ownership: whether a bucket has ACLs at all. By default it has none, as AWS's."""

from __future__ import annotations

from typing import Any

from catalog.records import Bucket
from gateway.access.acl import ENFORCED, WRITER, bucket_grants, private
from gateway.access.acl import OWNERSHIP as SETTING
from gateway.operations import Context
from gateway.operations.configurations import keep, kept
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

# Where the controls were deleted, ACLs count, as they did before there were controls.
_DELETED = ""


@operation
async def get_bucket_ownership_controls(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketOwnershipControls.html"""
    found = kept(cx.here, SETTING, ENFORCED)
    if found == _DELETED:
        raise S3Error("OwnershipControlsNotFoundError", fields={"BucketName": bucket})
    return {"ownership_controls": {"rules": [{"object_ownership": found}]}}


@operation
async def put_bucket_ownership_controls(cx: Context, bucket: str, ownership_controls: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketOwnershipControls.html"""
    rules = ownership_controls.get("rules") or []
    if len(rules) != 1:
        raise S3Error("MalformedXML")
    wanted = rules[0]["object_ownership"]
    if wanted == ENFORCED and bucket_grants(cx.here) != private(cx.here.owner):
        raise S3Error("InvalidBucketAclWithObjectOwnership")
    await keep(cx, SETTING, wanted)


@operation
async def delete_bucket_ownership_controls(cx: Context, bucket: str) -> None:
    await keep(cx, SETTING, _DELETED)


def object_ownership(bucket: Bucket) -> str:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html"""
    return kept(bucket, SETTING, ENFORCED) or WRITER
