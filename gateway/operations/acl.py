"""ACLs that give the bucket's owner full control, and nobody anything else: the only ones there are here.

Which error another one gets depends on the bucket. Where ACLs are off or public ones are blocked, S3 refuses it too;
where S3 would honour it, it is NotImplemented.
"""

from __future__ import annotations

from typing import Any

from catalog.records import Bucket
from gateway.access.public import blocks
from gateway.operations import Context
from gateway.operations.ownership import ENFORCED, object_ownership
from gateway.operations.tagging import no_marker
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

# Canned ACLs that give nobody but the owner anything, the owner of a bucket being that of its objects. Where ACLs are
# off, S3 refuses the first and the last as well; clients send them without being asked to.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#canned-acl
OWNERS_OWN = frozenset({"private", "bucket-owner-full-control", "bucket-owner-read"})
PUBLIC = frozenset({"public-read", "public-read-write", "authenticated-read"})
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#specifying-grantee-predefined-groups
PUBLIC_GROUPS = frozenset(
    {
        "http://acs.amazonaws.com/groups/global/AllUsers",
        "http://acs.amazonaws.com/groups/global/AuthenticatedUsers",
    }
)


@operation
async def get_bucket_acl(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html"""
    return owners_acl(cx.here)


@operation
async def put_bucket_acl(
    cx: Context,
    bucket: str,
    acl: str | None = None,
    access_control_policy: dict[str, Any] | None = None,
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html"""
    check_given(cx.here, acl, access_control_policy)


@operation
async def get_object_acl(cx: Context, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html"""
    with no_marker(cx):
        cx.catalog.get(cx.here, key, version_id)
    return owners_acl(cx.here)


@operation
async def put_object_acl(
    cx: Context,
    bucket: str,
    key: str,
    acl: str | None = None,
    access_control_policy: dict[str, Any] | None = None,
    version_id: str | None = None,
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html"""
    with no_marker(cx):
        cx.catalog.get(cx.here, key, version_id)
    check_given(cx.here, acl, access_control_policy)


def owners_acl(bucket: Bucket) -> dict[str, Any]:
    grantee = {"id": bucket.owner, "type": "CanonicalUser"}
    return {"owner": {"id": bucket.owner}, "grants": [{"grantee": grantee, "permission": "FULL_CONTROL"}]}


def check_given(bucket: Bucket, acl: str | None, policy: dict[str, Any] | None) -> None:
    if acl is not None and policy:
        raise S3Error("UnexpectedContent")
    if acl is not None:
        check_canned(bucket, acl)
    elif not policy:
        raise S3Error("MissingSecurityHeader", fields={"MissingHeaderName": "x-amz-acl"})
    else:
        check_policy(bucket, policy)


def check_canned(bucket: Bucket, acl: str) -> None:
    """Raises for an ACL that gives anything to others.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html
    """
    if acl not in OWNERS_OWN:
        raise refusal(bucket, acl in PUBLIC)


def check_policy(bucket: Bucket, policy: dict[str, Any]) -> None:
    """The owner may be left out; S3 knows it anyway."""
    owner = (policy.get("owner") or {}).get("id")
    if owner not in (None, bucket.owner):
        raise S3Error("AccessDenied")
    grants = policy.get("grants") or []
    grantees = [grant.get("grantee") or {} for grant in grants]
    full = [grant.get("permission") == "FULL_CONTROL" for grant in grants]
    if not all(full) or not grants or any(grantee.get("id") != bucket.owner for grantee in grantees):
        raise refusal(bucket, any(grantee.get("uri") in PUBLIC_GROUPS for grantee in grantees))


def refusal(bucket: Bucket, public: bool) -> S3Error:
    if object_ownership(bucket) == ENFORCED:
        return S3Error("AccessControlListNotSupported")
    if public and blocks(bucket, "block_public_acls"):
        return S3Error("AccessDenied")
    return S3Error("NotImplemented", "An ACL that grants anything to others is not implemented.")
