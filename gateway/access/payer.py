"""Who pays for a request: nobody pays anything here, but who would have to at AWS's has to say that he knows.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/RequesterPaysBuckets.html
"""

from __future__ import annotations

from catalog.records import Bucket
from gateway.access.actions import OBJECT
from gateway.access.asked import Asked

SETTING = "request_payment"  # the name of a bucket's configuration, there only where the requester pays
REQUESTER, BUCKET_OWNER = "Requester", "BucketOwner"
HEADER, SAYS_SO = "x-amz-request-payer", "requester"

# Operations that cost: not those that a client has no way to say it with.
_SILENT = frozenset({"DeleteObjectTagging", "SelectObjectContent"})
_OF_BUCKET = frozenset({"DeleteObjects", "ListMultipartUploads", "ListObjectVersions", "ListObjects", "ListObjectsV2"})
PAID = (frozenset(OBJECT) - _SILENT) | _OF_BUCKET


def requester_pays(bucket: Bucket) -> bool:
    return bucket.settings is not None and bucket.settings.get(SETTING) == REQUESTER


def agrees(asked: Asked) -> bool:
    """The anonymous can pay nothing."""
    return bool(asked.caller.id) and asked.request.headers.get(HEADER, "").lower() == SAYS_SO
