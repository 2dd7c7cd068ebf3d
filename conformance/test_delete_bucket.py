from __future__ import annotations

from typing import Any

import pytest

from conformance.raw import Raw
from conformance.refusals import refused


def test_deletes_an_empty_bucket(s3: Any, raw: Raw, bucket: str) -> None:
    answer = raw.delete(f"/{bucket}")
    assert (answer.status, answer.body) == (204, b"")
    with refused(404):
        s3.head_bucket(Bucket=bucket)


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404) as error:
        s3.delete_bucket(Bucket="there-is-no-such-bucket")
    assert error["BucketName"] == "there-is-no-such-bucket"


def test_bucket_with_an_object_is_kept(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    with refused("BucketNotEmpty", 409) as error:
        s3.delete_bucket(Bucket=bucket)
    assert (error["BucketName"], error["Message"]) == (bucket, "The bucket you tried to delete is not empty")
    s3.delete_object(Bucket=bucket, Key="key")
    s3.delete_bucket(Bucket=bucket)


def test_bucket_with_only_a_delete_marker_is_kept(s3: Any, versioned: str) -> None:
    marker = s3.delete_object(Bucket=versioned, Key="never-was")["VersionId"]
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=versioned)
    s3.delete_object(Bucket=versioned, Key="never-was", VersionId=marker)
    s3.delete_bucket(Bucket=versioned)


def test_bucket_with_only_an_old_version_is_kept(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key")
    s3.delete_object(Bucket=versioned, Key="key")
    with refused("BucketNotEmpty", 409) as error:
        s3.delete_bucket(Bucket=versioned)
    assert error["Message"].endswith("not empty. You must delete all versions in the bucket.")


@pytest.mark.parametrize(
    ("query", "code"), [({"uploadId": "u"}, "InvalidRequest"), ({"versionId": "null"}, "InvalidArgument")]
)
def test_bucket_stays_where_a_key_was_meant(raw: Raw, s3: Any, bucket: str, query: dict[str, str], code: str) -> None:
    answer = raw.delete(f"/{bucket}/", query)
    assert (answer.status, answer.code) == (400, code)
    s3.head_bucket(Bucket=bucket)


def test_uploads_under_way_end_with_the_bucket(s3: Any, bucket: str) -> None:
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"part")
    s3.delete_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=bucket)
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)


def test_name_is_free_again_and_nothing_comes_back(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": "b"}]})
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.delete_bucket(Bucket=bucket)
    alice.create_bucket(Bucket=bucket)
    assert "Status" not in alice.get_bucket_versioning(Bucket=bucket)
    with refused("NoSuchTagSet", 404):
        alice.get_bucket_tagging(Bucket=bucket)


def test_bucket_of_another_is_forbidden(s3: Any, alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.delete_bucket(Bucket=bucket)
    s3.head_bucket(Bucket=bucket)


def test_bucket_with_a_locked_version_is_kept(s3: Any, locked: str) -> None:
    put = s3.put_object(Bucket=locked, Key="key", ObjectLockLegalHoldStatus="ON")
    s3.delete_object(Bucket=locked, Key="key")
    with refused("BucketNotEmpty", 409):
        s3.delete_bucket(Bucket=locked)
    s3.put_object_legal_hold(Bucket=locked, Key="key", VersionId=put["VersionId"], LegalHold={"Status": "OFF"})
    for version in s3.list_object_versions(Bucket=locked)["Versions"]:
        s3.delete_object(Bucket=locked, Key="key", VersionId=version["VersionId"])
    for marker in s3.list_object_versions(Bucket=locked)["DeleteMarkers"]:
        s3.delete_object(Bucket=locked, Key="key", VersionId=marker["VersionId"])
    s3.delete_bucket(Bucket=locked)
