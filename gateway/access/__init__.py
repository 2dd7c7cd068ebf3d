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

WITHOUT_BUCKET = frozenset({"ListBuckets", "ListDirectoryBuckets", "CreateBucket"})


def allow(caller: User, operation: str, bucket: Bucket | None, request: Request, catalog: Lookup) -> Asked | None:
    """Raises AccessDenied unless `caller` may do `operation` on `bucket` (None for what needs no bucket).

    What it returns has still to be asked, once the request's document is read.
    """
    if bucket is None:
        if caller.id and operation in WITHOUT_BUCKET:
            return None
        raise S3Error("AccessDenied")
    if bucket.settings is None or not is_ruled(bucket):
        if caller.id and (caller.id == bucket.owner or caller.id == ROOT_ID):
            return None
        raise S3Error("AccessDenied")
    asked = Asked(caller, bucket, request.key, request.query.get("versionId"), request, catalog)
    if waits_for_document(operation, bucket):
        return asked
    check(operation, asked)
    return None
