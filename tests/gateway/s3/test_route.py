"""Routing as a table: every operation of S3, by the bytes of its request line and the headers that tell it apart."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest

from gateway.s3.extensions import OPERATIONS
from gateway.s3.quirks import SUPERSEDED

ID = {"id": "1"}
COPY = {"x-amz-copy-source": "other/key"}

ROUTES = {
    "AbortMultipartUpload": "DELETE /b/k?uploadId=u",
    "CompleteMultipartUpload": "POST /b/k?uploadId=u",
    "CopyObject": ("PUT /b/k", COPY),
    "CreateBucket": "PUT /b",
    "CreateBucketMetadataConfiguration": "POST /b?metadataConfiguration",
    "CreateBucketMetadataTableConfiguration": "POST /b?metadataTable",
    "CreateMultipartUpload": "POST /b/k?uploads",
    "CreateSession": "GET /b?session",
    "DeleteBucket": "DELETE /b",
    "DeleteBucketAnalyticsConfiguration": "DELETE /b?analytics&id=1",
    "DeleteBucketCors": "DELETE /b?cors",
    "DeleteBucketEncryption": "DELETE /b?encryption",
    "DeleteBucketIntelligentTieringConfiguration": "DELETE /b?intelligent-tiering&id=1",
    "DeleteBucketInventoryConfiguration": "DELETE /b?inventory&id=1",
    "DeleteBucketLifecycle": "DELETE /b?lifecycle",
    "DeleteBucketMetadataConfiguration": "DELETE /b?metadataConfiguration",
    "DeleteBucketMetadataTableConfiguration": "DELETE /b?metadataTable",
    "DeleteBucketMetricsConfiguration": "DELETE /b?metrics&id=1",
    "DeleteBucketOwnershipControls": "DELETE /b?ownershipControls",
    "DeleteBucketPolicy": "DELETE /b?policy",
    "DeleteBucketReplication": "DELETE /b?replication",
    "DeleteBucketTagging": "DELETE /b?tagging",
    "DeleteBucketWebsite": "DELETE /b?website",
    "DeleteObject": "DELETE /b/k?versionId=v",
    "DeleteObjectAnnotation": "DELETE /b/k?annotation&annotationName=n",
    "DeleteObjectTagging": "DELETE /b/k?tagging",
    "DeleteObjects": "POST /b?delete",
    "DeletePublicAccessBlock": "DELETE /b?publicAccessBlock",
    "GetBucketAbac": "GET /b?abac",
    "GetBucketAccelerateConfiguration": "GET /b?accelerate",
    "GetBucketAcl": "GET /b?acl",
    "GetBucketAnalyticsConfiguration": "GET /b?analytics&id=1",
    "GetBucketCors": "GET /b?cors",
    "GetBucketEncryption": "GET /b?encryption",
    "GetBucketIntelligentTieringConfiguration": "GET /b?intelligent-tiering&id=1",
    "GetBucketInventoryConfiguration": "GET /b?inventory&id=1",
    "GetBucketLifecycleConfiguration": "GET /b?lifecycle",
    "GetBucketLocation": "GET /b?location",
    "GetBucketLogging": "GET /b?logging",
    "GetBucketMetadataConfiguration": "GET /b?metadataConfiguration",
    "GetBucketMetadataTableConfiguration": "GET /b?metadataTable",
    "GetBucketMetricsConfiguration": "GET /b?metrics&id=1",
    "GetBucketNotificationConfiguration": "GET /b?notification",
    "GetBucketOwnershipControls": "GET /b?ownershipControls",
    "GetBucketPolicy": "GET /b?policy",
    "GetBucketPolicyStatus": "GET /b?policyStatus",
    "GetBucketReplication": "GET /b?replication",
    "GetBucketRequestPayment": "GET /b?requestPayment",
    "GetBucketTagging": "GET /b?tagging",
    "GetBucketVersioning": "GET /b?versioning",
    "GetBucketWebsite": "GET /b?website",
    "GetObject": "GET /b/k?partNumber=1&versionId=v",
    "GetObjectAcl": "GET /b/k?acl",
    "GetObjectAnnotation": "GET /b/k?annotation&annotationName=n",
    "GetObjectAttributes": "GET /b/k?attributes",
    "GetObjectLegalHold": "GET /b/k?legal-hold",
    "GetObjectLockConfiguration": "GET /b?object-lock",
    "GetObjectRetention": "GET /b/k?retention",
    "GetObjectTagging": "GET /b/k?tagging",
    "GetObjectTorrent": "GET /b/k?torrent",
    "GetPublicAccessBlock": "GET /b?publicAccessBlock",
    "HeadBucket": "HEAD /b",
    "HeadObject": "HEAD /b/k?partNumber=1",
    "ListBucketAnalyticsConfigurations": "GET /b?analytics",
    "ListBucketIntelligentTieringConfigurations": "GET /b?intelligent-tiering",
    "ListBucketInventoryConfigurations": "GET /b?inventory&continuation-token=t",
    "ListBucketMetricsConfigurations": "GET /b?metrics",
    "ListBuckets": "GET /?prefix=p",
    "ListDirectoryBuckets": "GET /?max-directory-buckets=10",
    "ListenBucketNotification": "GET /b?events=s3:ObjectCreated:*",
    "ListMultipartUploads": "GET /b?uploads&prefix=p",
    "ListObjectAnnotations": "GET /b/k?annotation",
    "ListObjectVersions": "GET /b?versions&prefix=p",
    "ListObjects": "GET /b?prefix=p&marker=m",
    "ListObjectsV2": "GET /b?list-type=2&prefix=p",
    "ListParts": "GET /b/k?uploadId=u",
    "PutBucketAbac": "PUT /b?abac",
    "PutBucketAccelerateConfiguration": "PUT /b?accelerate",
    "PutBucketAcl": "PUT /b?acl",
    "PutBucketAnalyticsConfiguration": "PUT /b?analytics&id=1",
    "PutBucketCors": "PUT /b?cors",
    "PutBucketEncryption": "PUT /b?encryption",
    "PutBucketIntelligentTieringConfiguration": "PUT /b?intelligent-tiering&id=1",
    "PutBucketInventoryConfiguration": "PUT /b?inventory&id=1",
    "PutBucketLifecycleConfiguration": "PUT /b?lifecycle",
    "PutBucketLogging": "PUT /b?logging",
    "PutBucketMetricsConfiguration": "PUT /b?metrics&id=1",
    "PutBucketNotificationConfiguration": "PUT /b?notification",
    "PutBucketOwnershipControls": "PUT /b?ownershipControls",
    "PutBucketPolicy": "PUT /b?policy",
    "PutBucketReplication": "PUT /b?replication",
    "PutBucketRequestPayment": "PUT /b?requestPayment",
    "PutBucketTagging": "PUT /b?tagging",
    "PutBucketVersioning": "PUT /b?versioning",
    "PutBucketWebsite": "PUT /b?website",
    "PutObject": "PUT /b/k",
    "PutObjectAcl": "PUT /b/k?acl",
    "PutObjectAnnotation": "PUT /b/k?annotation&annotationName=n",
    "PutObjectLegalHold": "PUT /b/k?legal-hold",
    "PutObjectLockConfiguration": "PUT /b?object-lock",
    "PutObjectRetention": "PUT /b/k?retention",
    "PutObjectTagging": "PUT /b/k?tagging",
    "PutPublicAccessBlock": "PUT /b?publicAccessBlock",
    "RenameObject": ("PUT /b/k?renameObject", {"x-amz-rename-source": "/b/other"}),
    "RestoreObject": "POST /b/k?restore",
    "SelectObjectContent": "POST /b/k?select&select-type=2",
    "UpdateBucketMetadataAnnotationTableConfiguration": "PUT /b?metadataAnnotationTable",
    "UpdateBucketMetadataInventoryTableConfiguration": "PUT /b?metadataInventoryTable",
    "UpdateBucketMetadataJournalTableConfiguration": "PUT /b?metadataJournalTable",
    "UpdateObjectEncryption": "PUT /b/k?encryption",
    "UploadPart": "PUT /b/k?partNumber=1&uploadId=u",
    "UploadPartCopy": ("PUT /b/k?partNumber=1&uploadId=u", COPY),
    "WriteGetObjectResponse": (
        "POST /WriteGetObjectResponse",
        {"x-amz-request-route": "r", "x-amz-request-token": "t"},
    ),
}


def asked(line: str, headers: dict[str, str] | None = None):
    method, _, target = line.partition(" ")
    path, _, query = target.partition("?")
    bucket, _, key = path[1:].partition("/")
    return method, bucket or None, key or None, dict(parse_qsl(query, keep_blank_values=True)), headers or {}


@pytest.mark.parametrize("name", ROUTES)
def test_routes_to(table, name):
    row = ROUTES[name]
    line, headers = (row, {}) if isinstance(row, str) else row
    assert table.route(*asked(line, headers)).name == name


def test_the_table_is_whole(table):
    assert len(ROUTES.keys() | SUPERSEDED) == 116 + len(OPERATIONS)
    assert ROUTES.keys() | SUPERSEDED <= table.operations.keys()


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("GET /b/k?x-id=GetObject", "GetObject"),
        ("GET /b/k?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=s", "GetObject"),
        ("PUT /b/k?x-id=UploadPart&partNumber=1&uploadId=u", "UploadPart"),
        ("GET /b?id=1", "ListObjects"),
        ("GET /b?unheard-of", "ListObjects"),
        ("GET /b?list-type=1", "ListObjects"),
        ("GET /b/k?policy", "GetObject"),
        ("DELETE /b/k?partNumber=1", "DeleteObject"),
    ],
)
def test_what_is_not_a_subresource_does_not_matter(table, line, name):
    assert table.route(*asked(line)).name == name


@pytest.mark.parametrize(
    ("line", "name"),
    [
        ("DELETE /b?analytics", "DeleteBucketAnalyticsConfiguration"),
        ("DELETE /b/k?annotation", "DeleteObjectAnnotation"),
        ("PUT /b/k?renameObject", "RenameObject"),
        ("GET /b/k?attributes", "GetObjectAttributes"),
    ],
)
def test_a_missing_member_never_falls_through_to_a_wider_operation(table, line, name):
    assert table.route(*asked(line)).name == name


@pytest.mark.parametrize(
    ("line", "resource", "allow"),
    [
        ("POST /", "SERVICE", "GET"),
        ("DELETE /b?acl", "ACL", "GET, PUT"),
        ("DELETE /b?versioning", "VERSIONING", "GET, PUT"),
        ("PUT /b?uploads", "UPLOADS", "GET"),
        ("HEAD /b?policy", "BUCKETPOLICY", "DELETE, GET, PUT"),
        ("DELETE /b?object-lock", "OBJECT_LOCK", "GET, PUT"),
        ("DELETE /b/k?acl", "ACL", "GET, PUT"),
        ("PUT /b/k?torrent", "TORRENT", "GET"),
        ("PUT /b/k?uploadId=u", "UPLOAD", "DELETE, GET, POST"),
        ("POST /b/k", "OBJECT", "DELETE, GET, HEAD, PUT"),
        ("PATCH /b", "BUCKET", "DELETE, GET, HEAD, POST, PUT"),
        ("BREW /b/k", "OBJECT", "DELETE, GET, HEAD, PUT"),
    ],
)
def test_method_not_allowed(table, refused, line, resource, allow):
    error = refused(table.route, *asked(line))
    assert (error.code, error.status) == ("MethodNotAllowed", 405)
    assert error.fields == {"Method": line.split()[0], "ResourceType": resource}
    assert error.headers == {"allow": allow}


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("PUT /b/k?partNumber=1", "InvalidArgument"),
        ("DELETE /b?uploadId=u", "InvalidRequest"),
        ("PUT /b?partNumber=1&uploadId=u", "InvalidRequest"),
        ("GET /b/k?uploads", "InvalidRequest"),
        ("GET /b/k?versions", "InvalidRequest"),
        ("POST /b", "PreconditionFailed"),
        ("POST /b?prefix=p", "PreconditionFailed"),
    ],
)
def test_strays(table, refused, line, code):
    assert refused(table.route, *asked(line)).code == code
