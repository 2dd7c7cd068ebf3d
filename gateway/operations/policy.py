"""A bucket's policy: kept as it was given. `gateway.access` asks it."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from catalog.records import Bucket, User
from gateway.access.document import Resolve, read_document
from gateway.access.keys import ROOT, arn_of
from gateway.access.policy import PRINCIPALS, SETTING, policy_of
from gateway.access.public import blocks, is_public
from gateway.operations import Context
from gateway.operations.configurations import changed, kept
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

SERVICE = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com")
BLOCKED = (
    "User: {arn} is not authorized to perform: s3:PutBucketPolicy on resource: {resource} because public policies are"
    " prevented by the BlockPublicPolicy setting in S3 Block Public Access."
)


@operation
async def put_bucket_policy(
    cx: Context,
    bucket: str,
    policy: str,
    checksum_algorithm: str | None = None,
    confirm_remove_self_bucket_access: bool | None = None,
    content_md5: str | None = None,
) -> None:
    """The owner can always change it again, so that there is nothing to confirm.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html
    """
    meant: dict[str, str] = {}
    document = read_document(policy, bucket, resolving(cx.catalog.users(), meant))
    principals = msgspec.json.encode(meant).decode()

    def change(found: Bucket) -> Bucket:
        if is_public(document) and blocks(found, "block_public_policy"):
            raise S3Error("AccessDenied", BLOCKED.format(arn=arn_of(cx.caller), resource=f'"arn:aws:s3:::{bucket}"'))
        return changed(found, {SETTING: policy, PRINCIPALS: principals})

    await cx.catalog.update_bucket(cx.origin, bucket, change)


@operation
async def get_bucket_policy(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicy.html"""
    return {"policy": policy_text(cx.here)}


@operation
async def get_bucket_policy_status(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketPolicyStatus.html"""
    policy_text(cx.here)
    policy = policy_of(cx.here)
    return {"policy_status": {"is_public": policy is not None and policy.public}}


@operation
async def delete_bucket_policy(cx: Context, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketPolicy.html"""
    if kept(cx.here, SETTING, ""):
        none = {SETTING: None, PRINCIPALS: None}
        await cx.catalog.update_bucket(cx.origin, bucket, lambda found: changed(found, none))


def policy_text(bucket: Bucket) -> str:
    text = kept(bucket, SETTING, "")
    if not text:
        raise S3Error("NoSuchBucketPolicy", fields={"BucketName": bucket.name})
    return text


def resolving(users: list[User], meant: dict[str, str]) -> Resolve:
    """Whom a principal names, noted in `meant`: by ARN, by canonical id or, as other servers take it, by name or key.

    An ARN may leave out the account, for there is one. A name without an ARN that fits two users names neither.
    Any service of AWS's may be named, though only the one that delivers access logs is here.
    """
    known = [ROOT, *users]

    def resolve(kind: str, name: str) -> str | None:
        if kind == "Service":
            ids = {name} if SERVICE.fullmatch(name) else set()
        elif kind == "CanonicalUser":
            ids = {user.id for user in known if user.id == name}
        elif name.startswith("arn:"):
            ids = {user.id for user in known if name in (arn_of(user), arn_of(user, ""))}
        else:
            ids = {user.id for user in known if name and name in (user.id, user.name, user.access_key)}
        if len(ids) != 1:
            return None
        (found,) = ids
        meant[f"{kind}:{name}"] = found
        return found

    return resolve
