from __future__ import annotations

import pytest

from gateway.access_logs.names import RESOURCES, name_of
from gateway.s3.model import operations


@pytest.mark.parametrize(
    ("operation", "method", "key", "name"),
    [
        ("GetObject", "GET", "k", "REST.GET.OBJECT"),
        ("HeadObject", "HEAD", "k", "REST.HEAD.OBJECT"),
        ("PostObject", "POST", "k", "REST.POST.OBJECT"),
        ("PostObject", "POST", None, "REST.POST.OBJECT"),
        ("ListObjectsV2", "GET", None, "REST.GET.BUCKET"),
        ("HeadBucket", "HEAD", None, "REST.HEAD.BUCKET"),
        ("DeleteBucket", "DELETE", None, "REST.DELETE.BUCKET"),
        ("ListObjectVersions", "GET", None, "REST.GET.BUCKETVERSIONS"),
        ("GetBucketVersioning", "GET", None, "REST.GET.VERSIONING"),
        ("PutBucketVersioning", "PUT", None, "REST.PUT.VERSIONING"),
        ("PutBucketLogging", "PUT", None, "REST.PUT.LOGGING_STATUS"),
        ("DeleteBucketPolicy", "DELETE", None, "REST.DELETE.BUCKETPOLICY"),
        ("GetBucketAcl", "GET", None, "REST.GET.ACL"),
        ("PutObjectAcl", "PUT", "k", "REST.PUT.ACL"),
        ("GetBucketTagging", "GET", None, "REST.GET.TAGGING"),
        ("DeleteObjectTagging", "DELETE", "k", "REST.DELETE.OBJECT_TAGGING"),
        ("PutBucketLifecycleConfiguration", "PUT", None, "REST.PUT.LIFECYCLE"),
        ("DeleteBucketLifecycle", "DELETE", None, "REST.DELETE.LIFECYCLE"),
        ("PutBucketOwnershipControls", "PUT", None, "REST.PUT.OWNERSHIP_CONTROLS"),
        ("PutPublicAccessBlock", "PUT", None, "REST.PUT.PUBLIC_ACCESS_BLOCK"),
        ("CreateMultipartUpload", "POST", "k", "REST.POST.UPLOADS"),
        ("UploadPart", "PUT", "k", "REST.PUT.PART"),
        ("CompleteMultipartUpload", "POST", "k", "REST.POST.UPLOAD"),
        ("CopyObject", "PUT", "k", "REST.COPY.OBJECT"),
        ("UploadPartCopy", "PUT", "k", "REST.COPY.PART"),
        ("DeleteObjects", "POST", None, "REST.POST.MULTI_OBJECT_DELETE"),
        (None, "OPTIONS", "k", "REST.OPTIONS.PREFLIGHT"),
        (None, "PATCH", None, "REST.PATCH.BUCKET"),
    ],
)
def test_a_name(operation: str | None, method: str, key: str | None, name: str) -> None:
    assert name_of(operation, method, key is None) == name


def test_what_is_named_is_there() -> None:
    assert set(RESOURCES) <= set(operations)
