"""The ACLs of buckets and objects: read, and put in the place of what there was."""

from __future__ import annotations

from typing import Any

import msgspec

from catalog.records import Bucket, Version
from gateway.access.acl import SETTING, Grant, Grants, acls_on, bucket_grants, kept_grants, object_grants
from gateway.operations import Context
from gateway.operations.configurations import keep
from gateway.operations.granting import Wish, granted_by_document, granted_by_headers
from gateway.operations.tagging import no_marker
from gateway.s3.errors import S3Error
from gateway.s3.model import operation


@operation
async def get_bucket_acl(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAcl.html"""
    return shown(cx.here.owner, bucket_grants(cx.here))


@operation
async def put_bucket_acl(
    cx: Context,
    bucket: str,
    acl: str | None = None,
    access_control_policy: dict[str, Any] | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write: str | None = None,
    grant_write_acp: str | None = None,
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketAcl.html"""
    wish = Wish(acl, grant_full_control, grant_read, grant_read_acp, grant_write_acp, grant_write)
    kept = kept_grants(wanted(cx, wish, access_control_policy, cx.here.owner), cx.here.owner)
    if acls_on(cx.here):
        await keep(cx, SETTING, kept or None)


@operation
async def get_object_acl(cx: Context, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAcl.html"""
    version = cx.catalog.get(cx.here, key, version_id)
    return shown(owner_of(cx.here, version), object_grants(cx.here, version))


@operation
async def put_object_acl(
    cx: Context,
    bucket: str,
    key: str,
    acl: str | None = None,
    access_control_policy: dict[str, Any] | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write: str | None = None,
    grant_write_acp: str | None = None,
    version_id: str | None = None,
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectAcl.html"""
    with no_marker(cx):
        version = cx.catalog.get(cx.here, key, version_id)
    owner = owner_of(cx.here, version)
    wish = Wish(acl, grant_full_control, grant_read, grant_read_acp, grant_write_acp, grant_write)
    grants = wanted(cx, wish, access_control_policy, owner)

    def change(found: Version) -> Version:
        return msgspec.structs.replace(found, acl=kept_grants(grants, found.owner))

    if acls_on(cx.here):
        with no_marker(cx):
            await cx.catalog.update_version(cx.origin_of("PutObjectAcl"), cx.here, key, version_id, change)


def wanted(cx: Context, wish: Wish, document: dict[str, Any] | None, owner: str) -> Grants:
    if document is not None and any(wish):
        raise S3Error("UnexpectedContent")
    by_headers = granted_by_headers(cx, cx.here, wish, owner)
    if by_headers is not None:
        return by_headers
    if document is None:
        raise S3Error("MissingSecurityHeader", fields={"MissingHeaderName": "x-amz-acl"})
    return granted_by_document(cx, cx.here, document, owner)


def owner_of(bucket: Bucket, version: Version) -> str:
    """With ACLs off whoever owns the bucket owns all that is in it, also what others wrote before."""
    return version.owner if acls_on(bucket) else bucket.owner


def shown(owner: str, grants: Grants) -> dict[str, Any]:
    return {"owner": {"id": owner}, "grants": [shown_grant(grant) for grant in grants]}


def shown_grant(grant: Grant) -> dict[str, Any]:
    grantee = {"type": "CanonicalUser", "id": grant.id} if grant.id else {"type": "Group", "uri": grant.uri}
    return {"grantee": grantee, "permission": grant.permission}
