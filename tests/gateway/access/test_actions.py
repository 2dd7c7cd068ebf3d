from __future__ import annotations

import pytest

from gateway.access import WITHOUT_BUCKET
from gateway.access.actions import BUCKET, OBJECT, PER_KEY, needed
from gateway.s3 import quirks
from gateway.s3.model import POST_OBJECT, operations
from tests.gateway.access.asking import ask

# Not of general purpose buckets, or so new that AWS's page names no action for them.
WITHOUT_ACTION = {
    "CreateBucketMetadataConfiguration",
    "CreateBucketMetadataTableConfiguration",
    "CreateSession",
    "DeleteBucketMetadataConfiguration",
    "DeleteBucketMetadataTableConfiguration",
    "DeleteObjectAnnotation",
    "GetBucketAbac",
    "GetBucketMetadataConfiguration",
    "GetBucketMetadataTableConfiguration",
    "GetObjectAnnotation",
    "ListObjectAnnotations",
    "PutBucketAbac",
    "PutObjectAnnotation",
    "RenameObject",
    "UpdateBucketMetadataAnnotationTableConfiguration",
    "UpdateBucketMetadataInventoryTableConfiguration",
    "UpdateBucketMetadataJournalTableConfiguration",
    "UpdateObjectEncryption",
    "WriteGetObjectResponse",
}


def test_every_operation_needs_an_action() -> None:
    known = {name for name in (*operations, POST_OBJECT.name) if name not in quirks.SUPERSEDED}
    assert known == set(BUCKET) | set(OBJECT) | PER_KEY | WITHOUT_BUCKET | WITHOUT_ACTION


def test_none_that_is_built_lacks_one() -> None:
    assert not [name for name in WITHOUT_ACTION if operations[name].handler is not None]


@pytest.mark.parametrize(
    ("operation", "query", "headers", "actions"),
    [
        ("HeadObject", "", {}, ("s3:GetObject",)),
        ("GetObject", "versionId=null", {}, ("s3:GetObjectVersion",)),
        ("ListObjectsV2", "", {}, ("s3:ListBucket",)),
        ("HeadBucket", "", {}, ("s3:ListBucket",)),
        ("ListObjectVersions", "", {}, ("s3:ListBucketVersions",)),
        ("DeleteBucketCors", "", {}, ("s3:PutBucketCORS",)),
        ("DeleteObject", "versionId=1", {}, ("s3:DeleteObjectVersion",)),
        ("GetObjectAttributes", "", {}, ("s3:GetObject", "s3:GetObjectAttributes")),
        ("UploadPart", "partNumber=1&uploadId=x", {}, ("s3:PutObject",)),
        ("PutObject", "", {"x_amz_tagging": "a=1"}, ("s3:PutObject", "s3:PutObjectTagging")),
        (
            "CreateMultipartUpload",
            "",
            {"x_amz_object_lock_mode": "GOVERNANCE", "x_amz_object_lock_retain_until_date": "x"},
            ("s3:PutObject", "s3:PutObjectRetention"),
        ),
        ("PutObject", "", {"x_amz_object_lock_legal_hold": "ON"}, ("s3:PutObject", "s3:PutObjectLegalHold")),
        ("GetObject", "", {"x_amz_tagging": "a=1"}, ("s3:GetObject",)),
        ("DeleteObject", "", {"if_match": '"x"'}, ("s3:DeleteObject", "s3:GetObject")),
        ("DeleteObject", "", {"if_match": "*"}, ("s3:DeleteObject",)),
        ("PutObject", "", {"if_match": '"x"'}, ("s3:PutObject", "s3:GetObject")),
        ("PutObject", "", {"if_none_match": "*"}, ("s3:PutObject",)),
        ("CreateSession", "", {}, ()),
    ],
)
def test_what_is_needed(operation: str, query: str, headers: dict[str, str], actions: tuple[str, ...]) -> None:
    assert needed(operation, ask(query=query, **headers).request) == actions
