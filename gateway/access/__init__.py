"""May this caller do this to that: owner and root everything that no policy denies, others what one allows."""

from __future__ import annotations

from catalog.records import Bucket, User
from gateway.access.asked import Asked, Lookup
from gateway.access.deciding import check, is_ruled, waits_for_document
from gateway.access.keys import ROOT_ID
from gateway.request import Request
from gateway.s3.errors import S3Error

__all__ = ["ANONYMOUS", "ROOT_ID", "WITHOUT_BUCKET", "allow"]

ANONYMOUS = User(id="", name="", access_key="", secret_key="")

# What nobody may do without a signature, whatever policy and ACLs say, and how S3 puts it.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html#mpuAndPermissions
_ANY = "Anonymous users cannot invoke this API.  Please authenticate."
_OWNERSHIP = "s3:{}BucketOwnershipControls does not support Anonymous requests!"
SIGNED_ONLY = {
    "CopyObject": "Anonymous users cannot copy objects.  Please authenticate.",
    "CreateBucket": _ANY,
    "CreateMultipartUpload": "Anonymous users cannot initiate multipart uploads.  Please authenticate.",
    "DeleteBucketOwnershipControls": _OWNERSHIP.format("Put"),
    "GetBucketOwnershipControls": _OWNERSHIP.format("Get"),
    "PutBucketAcl": _ANY,
    "PutBucketOwnershipControls": _OWNERSHIP.format("Put"),
    "PutObjectAcl": _ANY,
    "SelectObjectContent": _ANY,
}
WITHOUT_BUCKET = frozenset({"ListBuckets", "ListDirectoryBuckets", "CreateBucket"})


def allow(caller: User, operation: str, bucket: Bucket | None, request: Request, catalog: Lookup) -> Asked | None:
    """Raises AccessDenied unless `caller` may do `operation` on `bucket` (None for what needs no bucket).

    What it returns has still to be asked, once the request's document is read.
    """
    if bucket is None:
        if caller.id and operation in WITHOUT_BUCKET:
            return None
        raise _denied(caller, operation)
    if bucket.settings is None or not is_ruled(bucket):
        if caller.id and (caller.id == bucket.owner or caller.id == ROOT_ID):
            return None
        raise _denied(caller, operation)
    if not caller.id and operation in SIGNED_ONLY:
        raise _denied(caller, operation)
    asked = Asked(caller, bucket, request.key, request.query.get("versionId"), request, catalog)
    if waits_for_document(operation, bucket):
        return asked
    check(operation, asked)
    return None


def _denied(caller: User, operation: str) -> S3Error:
    return S3Error("AccessDenied", None if caller.id else SIGNED_ONLY.get(operation))
