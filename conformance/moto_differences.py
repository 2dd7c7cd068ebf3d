"""Where Ducket and moto answer the same call otherwise, what each says, and what AWS documents.

The test holds both to it: a difference that is not here fails, and so does one that is here no longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

ABSENT = "(absent)"
DOCS = "https://docs.aws.amazon.com/AmazonS3/latest/"

Pair = tuple[Any, Any]


class General(NamedTuple):
    """An element that one of the two never sends, and what AWS does."""

    ours: bool
    aws: str

    def holds(self, pair: Pair) -> bool:
        """The one who does not send it does not."""
        return bool(pair[1 if self.ours else 0] == ABSENT)


class Difference(NamedTuple):
    """By path of the element: what Ducket says, what moto says; and what AWS documents."""

    aws: str
    fields: Mapping[str, Pair]


EVERYWHERE: dict[str, General] = {
    "ChecksumType": General(True, f"sent with every checksum: {DOCS}API/API_PutObject.html"),
    "ChecksumAlgorithm": General(True, f"an element of each object listed: {DOCS}API/API_Object.html"),
    "DisplayName": General(False, f"of owners no longer sent since November 2025: {DOCS}API/API_Owner.html"),
    "BucketArn": General(True, f"sent with a bucket: {DOCS}API/API_HeadBucket.html"),
    "AccessPointAlias": General(True, f"sent with a bucket: {DOCS}API/API_HeadBucket.html"),
    "EncodingType": General(True, f"sent whenever it was asked for: {DOCS}API/API_ListObjectVersions.html"),
    "ContinuationToken": General(True, f"said again when it was sent: {DOCS}API/API_ListObjectsV2.html"),
}

NAMES = f"{DOCS}userguide/bucketnamingrules.html"
INTEGRITY = f"{DOCS}userguide/checking-object-integrity.html"
ERRORS = f"{DOCS}API/ErrorResponses.html"
MULTIPART = f"{DOCS}API/API_CompleteMultipartUpload.html"


def refusal(code: str, status: int, instead: dict[str, Any], **fields: str) -> dict[str, Pair]:
    """What Ducket refuses and moto takes."""
    said = {"Code": code, **fields}
    return (
        {f".Error.{name}": (value, ABSENT) for name, value in said.items()}
        | {f".{name}": (ABSENT, value) for name, value in instead.items()}
        | {".ResponseMetadata.HTTPStatusCode": (status, 200)}
    )


def more(**fields: str) -> dict[str, Pair]:
    """What Ducket's error says besides what moto's says."""
    return {f".Error.{name}": (value, ABSENT) for name, value in fields.items()}


TAKEN = {"ETag": '"841a2d689ad86bd1611447453c22c6fc"'}
TAKEN_WITH_CHECKSUM = TAKEN | {"ChecksumCRC32": "26gLsg=="}

DIFFERENCES: dict[str, Difference] = {
    "bucket_with_a_bad_name": Difference(
        f"no capital letters, no underscores: {NAMES}",
        refusal("InvalidBucketName", 400, {"Location": "/Upper_Case"}, BucketName="Upper_Case"),
    ),
    "bucket_named_like_an_address": Difference(
        f"must not be formatted as an IP address: {NAMES}",
        refusal("InvalidBucketName", 400, {"Location": "/192.168.1.1"}, BucketName="192.168.1.1"),
    ),
    "object_with_a_wrong_content_md5": Difference(
        f"S3 checks the object against the MD5 value and refuses it with BadDigest: {INTEGRITY}",
        refusal(
            "BadDigest",
            400,
            TAKEN_WITH_CHECKSUM,
            ExpectedDigest="d41d8cd98f00b204e9800998ecf8427e",
            CalculatedDigest="hBotaJrYa9FhFEdFPCLG/A==",
        ),
    ),
    "object_with_a_wrong_checksum": Difference(
        f"S3 verifies the checksum it is given and refuses with BadDigest: {INTEGRITY}",
        refusal("BadDigest", 400, TAKEN),
    ),
    "object_of_a_class_that_is_none": Difference(
        f"the field of InvalidStorageClass is StorageClassRequested: {ERRORS}",
        more(StorageClassRequested="LUKEWARM") | {".Error.StorageClass": (ABSENT, "LUKEWARM")},
    ),
    "object_with_too_much_metadata": Difference(
        f"user-defined metadata has 2 KB at most: {DOCS}userguide/UsingMetadata.html",
        refusal("MetadataTooLarge", 400, TAKEN_WITH_CHECKSUM, MaxSizeAllowed="2048", Size="2049"),
    ),
    "object_put_if_it_is_there": Difference(f"NoSuchKey names the key: {ERRORS}", more(Key="key")),
    "version_that_is_not_there": Difference(
        f"NoSuchVersion names key and version: {ERRORS}", more(Key="key", VersionId="(some)")
    ),
    "delete_marker_asked_for": Difference(
        f"a delete marker named by its id is MethodNotAllowed: {DOCS}userguide/DeleteMarker.html",
        {
            ".Error.Code": ("MethodNotAllowed", "NoSuchVersion"),
            ".Error.Method": ("GET", ABSENT),
            ".Error.ResourceType": ("DeleteMarker", ABSENT),
            ".ResponseMetadata.HTTPStatusCode": (405, 404),
        },
    ),
    "versions_while_suspended": Difference(
        "a write while versioning is suspended replaces the null version only: "
        f"{DOCS}userguide/AddingObjectstoVersionSuspendedBuckets.html",
        {".1": (2, 1)},
    ),
    "listing_of_version_1": Difference(
        f"common prefixes count against MaxKeys: {DOCS}API/API_ListObjects.html",
        {
            ".0.IsTruncated": (True, False),
            ".0.Marker": ("", ABSENT),
            ".0.NextMarker": ("b/", ABSENT),
            ".0.Prefix": ("", ABSENT),
            ".1.1": (ABSENT, "c"),
        },
    ),
    "uploads_listed": Difference(
        f"the next markers are those of the last upload shown: {DOCS}API/API_ListMultipartUploads.html",
        {".NextKeyMarker": ("key", ABSENT), ".NextUploadIdMarker": ("(some)", ABSENT)},
    ),
    "upload_with_parts_out_of_order": Difference(
        f"parts must be in ascending order: {MULTIPART}",
        refusal(
            "InvalidPartOrder",
            400,
            {
                "Bucket": "(bucket)",
                "Key": "key",
                "Location": "http://(bucket).s3.amazonaws.com/key",
                "ETag": '"ce4d9c56c8713ee1d344ce24170d94a8-2"',
                "VersionId": "null",
            },
            UploadId="(some)",
        ),
    ),
    "upload_completed": Difference(
        f"a part is a range of the object, answered 206 with the object's own ETag: {DOCS}API/API_HeadObject.html",
        {
            ".1.ResponseMetadata.HTTPStatusCode": (206, 200),
            ".1.ContentRange": ("bytes 5242880-5242882/5242883", ABSENT),
            ".1.ETag": ('"18a6f0f7bd7cfdf99a17be3c7c8d5e00-2"', '"7f021a1415b86f2d013b2618fb31ae53"'),
        },
    ),
    "upload_with_a_small_part": Difference(
        f"EntityTooSmall says which part and how small: {MULTIPART}",
        more(ETag="eb5c1399a871211c7e7ed732d15e3a8b", MinSizeAllowed="5242880", PartNumber="1", ProposedSize="5"),
    ),
    "upload_with_a_wrong_part": Difference(
        f"InvalidPart says which part: {MULTIPART}",
        more(ETag="d41d8cd98f00b204e9800998ecf8427e", PartNumber="1", UploadId="(some)"),
    ),
}
