"""Buckets themselves: made, found, listed, removed."""

from __future__ import annotations

import base64
import re
import zlib
from typing import Any

from catalog.errors import BucketExists
from catalog.records import Bucket, ObjectLock
from gateway.access import ROOT_ID
from gateway.access.acl import ENFORCED, OWNERSHIP, kept_grants
from gateway.access.acl import SETTING as ACL
from gateway.access.public import DELETED
from gateway.access.public import SETTING as PUBLIC_ACCESS
from gateway.operations import Context
from gateway.operations.granting import Wish, granted_by_headers
from gateway.operations.tagging import BUCKET_TAGS, Tags, read_tags
from gateway.s3.errors import S3Error, invalid_argument
from gateway.s3.model import operation

# S3 says it in other words where there is a bucket.
RESERVED_TAGS = (
    'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your'
    " tag keys and try again."
)
# What S3 calls it where a bucket that is yet to be made would refuse its own first ACL.
FIRST_ACL_ERRORS = {
    "AccessControlListNotSupported": "InvalidBucketAclWithObjectOwnership",
    "AccessDenied": "InvalidBucketAclWithBlockPublicAccessError",
}
MAX_BUCKETS = 10_000
DEFAULT_REGION = "us-east-1"

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
NAME = re.compile(r"(?=.{3,63}\Z)[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")
IP_ADDRESS = re.compile(r"\d{1,3}(\.\d{1,3}){3}")
RESERVED_PREFIXES = ("xn--", "sthree-", "amzn-s3-demo-")
RESERVED_SUFFIXES = ("-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3")
REGION = re.compile(r"[a-z0-9-]+")


@operation
async def list_buckets(
    cx: Context,
    max_buckets: int | None = None,
    continuation_token: str | None = None,
    prefix: str | None = None,
    bucket_region: str | None = None,
) -> dict[str, Any]:
    """BucketRegion and Prefix are in the answer only of a request that asks for a page or a part.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html
    """
    plain = max_buckets is None and continuation_token is None and prefix is None and bucket_region is None
    limit = max_buckets or MAX_BUCKETS
    after = decode_token(continuation_token or None)
    found: list[Bucket] = []
    if bucket_region is None or known_region(bucket_region) == cx.settings.region:
        owner = None if cx.caller.id == ROOT_ID else cx.caller.id
        found = cx.catalog.buckets(owner, prefix=prefix or "", after=after, limit=limit + 1)
    more = len(found) > limit
    found = found[:limit]
    return {
        "buckets": [described(bucket, plain) for bucket in found],
        "owner": {"id": cx.caller.id},
        "continuation_token": encode_token(found[-1].name) if more else None,
        "prefix": prefix,
    }


@operation
async def create_bucket(
    cx: Context,
    bucket: str,
    create_bucket_configuration: dict[str, Any] | None = None,
    acl: str | None = None,
    grant_full_control: str | None = None,
    grant_read: str | None = None,
    grant_read_acp: str | None = None,
    grant_write: str | None = None,
    grant_write_acp: str | None = None,
    object_ownership: str | None = None,
    object_lock_enabled_for_bucket: bool | None = None,
    bucket_namespace: str | None = None,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html"""
    if not is_name(bucket):
        raise S3Error("InvalidBucketName", fields={"BucketName": bucket})
    refuse_unless("x-amz-bucket-namespace", bucket_namespace, "global")
    configuration = create_bucket_configuration or {}
    check_location(configuration.get("location_constraint"), cx.settings.region)
    for member in ("location", "bucket"):
        if configuration.get(member):
            raise S3Error("NotImplemented", f"{member.title()} of CreateBucketConfiguration is not implemented.")
    tags = read_tags(configuration.get("tags"), BUCKET_TAGS, RESERVED_TAGS)
    settings = first_settings(cx, object_ownership)
    wish = Wish(acl, grant_full_control, grant_read, grant_read_acp, grant_write_acp, grant_write)
    first = first_acl(cx, Bucket(0, bucket, cx.caller.id, 0, cx.settings.region, settings=settings or None), wish)
    if first is not None:
        settings[ACL] = first
    try:
        lock = ObjectLock() if object_lock_enabled_for_bucket else None
        await cx.catalog.create_bucket(
            cx.origin, bucket, cx.caller.id, cx.settings.region, settings or None, tags, lock
        )
    except BucketExists as taken:
        refuse_taken(cx, taken, tags, bool(object_lock_enabled_for_bucket))
    return {"location": location(cx, bucket), "bucket_arn": arn(bucket)}


@operation
async def head_bucket(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadBucket.html"""
    return {"bucket_region": cx.here.region, "bucket_arn": arn(bucket), "access_point_alias": False}


@operation
async def delete_bucket(cx: Context, bucket: str) -> None:
    await cx.catalog.delete_bucket(cx.origin, bucket)


@operation
async def get_bucket_location(cx: Context, bucket: str) -> dict[str, Any]:
    """Buckets of us-east-1 have an empty constraint.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLocation.html
    """
    return {"location_constraint": None if cx.here.region == DEFAULT_REGION else cx.here.region}


def known_region(name: str) -> str:
    if not REGION.fullmatch(name):
        raise invalid_argument(f"Argument value {name} is not a valid AWS Region", "bucket-region", name)
    return name


def described(bucket: Bucket, plain: bool) -> dict[str, Any]:
    return {
        "name": bucket.name,
        "creation_date": bucket.created,
        "bucket_region": None if plain else bucket.region,
        "bucket_arn": arn(bucket.name),
    }


def is_name(name: str) -> bool:
    """Whether a bucket can be called so."""
    if name.startswith(RESERVED_PREFIXES) or name.endswith(RESERVED_SUFFIXES):
        return False
    return bool(NAME.fullmatch(name)) and not IP_ADDRESS.fullmatch(name)


def refuse_unless(header: str, value: str | None, only: str) -> None:
    """For a header of which one value is what happens anyway and every other is not built."""
    if value is not None and value != only:
        raise S3Error("NotImplemented", f"{header}: {value} is not implemented.", fields={"Header": header})


def first_settings(cx: Context, ownership: str | None) -> dict[str, str]:
    """What the server gives a new bucket, where that is not what a bucket without settings has."""
    settings: dict[str, str] = {}
    if ownership or cx.settings.object_ownership != ENFORCED:
        settings[OWNERSHIP] = ownership or cx.settings.object_ownership
    if not cx.settings.block_public_access:
        settings[PUBLIC_ACCESS] = DELETED
    return settings


def first_acl(cx: Context, draft: Bucket, wish: Wish) -> str | None:
    """A new bucket blocks public ACLs, and has none at all, unless it is asked for otherwise.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/create-bucket-faq.html
    """
    try:
        grants = granted_by_headers(cx, draft, wish, draft.owner)
    except S3Error as refused:
        if refused.code in FIRST_ACL_ERRORS:
            raise S3Error(FIRST_ACL_ERRORS[refused.code], fields=refused.fields) from None
        raise
    return None if grants is None else kept_grants(grants, draft.owner)


def check_location(constraint: str | None, region: str) -> None:
    """There is one region here, named by its own name; us-east-1 by no constraint as well.

    AWS refuses us-east-1 by name, but clients for other servers send it, MinIO's for Python among them.
    """
    if region == DEFAULT_REGION and constraint and constraint != region:
        raise S3Error("InvalidLocationConstraint", fields={"LocationConstraint": constraint})
    if region != DEFAULT_REGION and constraint != region:
        raise S3Error(
            "IllegalLocationConstraintException",
            f"The {constraint or 'unspecified'} location constraint is incompatible for the region specific"
            " endpoint this request was sent to.",
        )


def refuse_taken(cx: Context, taken: BucketExists, tags: Tags | None, lock: bool) -> None:
    """One's own bucket may be made again in us-east-1, but for tags, and Object Lock that it lacks; nowhere else.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html#API_CreateBucket_Errors
    """
    if taken.owner != cx.caller.id:
        raise S3Error("BucketAlreadyExists", fields={"BucketName": taken.bucket})
    lacks = lock and cx.catalog.bucket(taken.bucket).object_lock is None
    if cx.settings.region != DEFAULT_REGION or tags or lacks:
        raise S3Error("BucketAlreadyOwnedByYou", fields={"BucketName": taken.bucket})


def location(cx: Context, bucket: str) -> str:
    if cx.settings.region == DEFAULT_REGION:
        return f"/{bucket}"
    return f"{cx.request.scheme}://{cx.request.host}/{bucket}"


def arn(bucket: str) -> str:
    return f"arn:aws:s3:::{bucket}"


def encode_token(after: str) -> str:
    """Opaque, and checked, so that what was never given is known for it."""
    name = after.encode()
    return base64.urlsafe_b64encode(zlib.crc32(name).to_bytes(4, "big") + name).decode()


def decode_token(token: str | None) -> str:
    """The name or key that a continuation token stands for; "" for none."""
    if token is None:
        return ""
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
        check, name = raw[:4], raw[4:]
        if zlib.crc32(name) == int.from_bytes(check, "big") and name:
            return name.decode()
    except ValueError:
        pass
    message = "The continuation token provided is incorrect"
    raise S3Error("InvalidArgument", message, fields={"ArgumentName": "continuation-token"})
