"""May this caller do this to that. Owner and root may do everything, others nothing.

Bucket policies, ACLs and the public access block will be asked here, in `allow`.
"""

from __future__ import annotations

from catalog.records import Bucket, User
from gateway.s3.errors import S3Error

ROOT_ID = "4813494d137e1631bba301d5acab6e7bb7aa74ce1185d456565ef51d737677b2"
ANONYMOUS = User(id="", name="", access_key="", secret_key="")

WITHOUT_BUCKET = frozenset({"ListBuckets", "ListDirectoryBuckets", "CreateBucket"})


def allow(caller: User, operation: str, bucket: Bucket | None) -> None:
    """Raises AccessDenied unless `caller` may do `operation` on `bucket` (None for what needs no bucket)."""
    if bucket is not None and (caller.id == bucket.owner or caller.id == ROOT_ID) and caller.id:
        return
    if caller.id and operation in WITHOUT_BUCKET:
        return
    raise S3Error("AccessDenied")
