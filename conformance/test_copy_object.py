from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from conformance.content import ALGORITHMS, MIB, checksum, etag, noise
from conformance.raw import Raw
from conformance.refusals import refused

BODY = b"to be copied"


@pytest.fixture
def source(s3: Any, bucket: str) -> dict[str, str]:
    """An object with everything that a copy may carry along."""
    s3.put_object(
        Bucket=bucket,
        Key="from",
        Body=BODY,
        Metadata={"a": "b"},
        ContentType="text/plain",
        CacheControl="no-cache",
        Tagging="t=1",
        StorageClass="STANDARD_IA",
    )
    return {"Bucket": bucket, "Key": "from"}


def test_body_metadata_and_tags_come_along(s3: Any, source: dict[str, str]) -> None:
    bucket = source["Bucket"]
    result = s3.copy_object(Bucket=bucket, Key="to", CopySource=source)["CopyObjectResult"]
    assert result["ETag"] == etag(BODY)
    found = s3.get_object(Bucket=bucket, Key="to")
    assert found["Body"].read() == BODY
    assert (found["Metadata"], found["ContentType"], found["CacheControl"]) == ({"a": "b"}, "text/plain", "no-cache")
    assert s3.get_object_tagging(Bucket=bucket, Key="to")["TagSet"] == [{"Key": "t", "Value": "1"}]


def test_storage_class_does_not_come_along(s3: Any, source: dict[str, str]) -> None:
    s3.copy_object(Bucket=source["Bucket"], Key="to", CopySource=source)
    assert "StorageClass" not in s3.head_object(Bucket=source["Bucket"], Key="to")


def test_body_is_the_element_aws_sends(raw: Raw, source: dict[str, str]) -> None:
    headers = {"x-amz-copy-source": f"{source['Bucket']}/from"}
    answer = raw.put(f"/{source['Bucket']}/to", headers=headers)
    assert answer.status == 200
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}CopyObjectResult"
    assert answer.text("ETag") == etag(BODY)
    assert (answer.text("LastModified") or "").endswith(".000Z")
    assert answer.text("ChecksumType") == "FULL_OBJECT"


def test_large_object(s3: Any, bucket: str) -> None:
    body = noise(7 * MIB)
    s3.put_object(Bucket=bucket, Key="from", Body=body)
    s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from"})
    s3.delete_object(Bucket=bucket, Key="from")
    assert s3.get_object(Bucket=bucket, Key="to")["Body"].read() == body


def test_from_one_bucket_to_another(s3: Any, source: dict[str, str], new_name: Callable[[str], str]) -> None:
    other = new_name("other")
    s3.create_bucket(Bucket=other)
    s3.copy_object(Bucket=other, Key="to", CopySource=source)
    assert s3.get_object(Bucket=other, Key="to")["Body"].read() == BODY


@pytest.mark.parametrize("form", ["{bucket}/{key}", "/{bucket}/{key}"])
@pytest.mark.parametrize(
    ("key", "quoted"), [("a b+c%", "a%20b%2Bc%25"), ("ü/😀", "%C3%BC%2F%F0%9F%98%80"), ("a/b", "a/b")]
)
def test_source_is_url_encoded(raw: Raw, s3: Any, bucket: str, form: str, key: str, quoted: str) -> None:
    s3.put_object(Bucket=bucket, Key=key, Body=BODY)
    headers = {"x-amz-copy-source": form.format(bucket=bucket, key=quoted)}
    assert raw.put(f"/{bucket}/to", headers=headers).status == 200
    assert raw.get(f"/{bucket}/to").body == BODY


@pytest.mark.parametrize("value", ["/", "only-a-bucket", "bucket/", "bucket/%ZZ", "bucket/a%", "bucket/%C3%"])
def test_source_that_names_no_object_is_refused(raw: Raw, bucket: str, value: str) -> None:
    answer = raw.put(f"/{bucket}/to", headers={"x-amz-copy-source": value})
    assert (answer.status, answer.code) == (400, "InvalidArgument")


@pytest.mark.parametrize("method", ["GET", "HEAD", "DELETE"])
def test_source_of_what_is_no_copy_is_refused(raw: Raw, bucket: str, method: str) -> None:
    answer = raw.send(raw.prepare(method, f"/{bucket}/key", headers={"x-amz-copy-source": f"{bucket}/key"}))
    assert answer.status == 400


def test_source_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404) as error:
        s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "none"})
    assert error["Key"] == "none"
    with refused("NoSuchBucket", 404):
        s3.copy_object(Bucket=bucket, Key="to", CopySource="there-is-no-such-bucket/none")


@pytest.mark.parametrize("name", ["192.168.1.1", "Upper", "a:b:c", "my-buc@k&()t"])
def test_source_bucket_that_cannot_be_is_refused(s3: Any, bucket: str, name: str) -> None:
    with refused("InvalidArgument", 400) as error:
        s3.copy_object(Bucket=bucket, Key="to", CopySource=f"{name}/key")
    assert error["Message"] == "Invalid copy source bucket name"


def test_source_bucket_of_another_owner_than_expected(s3: Any, source: dict[str, str]) -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
    bucket = source["Bucket"]
    upload = s3.create_multipart_upload(Bucket=bucket, Key="parts")["UploadId"]
    calls = (
        partial(s3.copy_object, Bucket=bucket, Key="to", CopySource=source),
        partial(s3.upload_part_copy, Bucket=bucket, Key="parts", UploadId=upload, PartNumber=1, CopySource=source),
    )
    for call in calls:
        with refused("AccessDenied", 403):
            call(ExpectedSourceBucketOwner="111122223333")
        call(ExpectedSourceBucketOwner=s3.list_buckets()["Owner"]["ID"])


def test_target_bucket_that_is_not_there(s3: Any, source: dict[str, str]) -> None:
    with refused("NoSuchBucket", 404):
        s3.copy_object(Bucket="there-is-no-such-bucket", Key="to", CopySource=source)


def test_source_of_another_is_forbidden(alice: Any, source: dict[str, str], new_name: Callable[[str], str]) -> None:
    hers = new_name("alice")
    alice.create_bucket(Bucket=hers)
    with refused("AccessDenied", 403):
        alice.copy_object(Bucket=hers, Key="to", CopySource=source)


def test_replacing_the_metadata(s3: Any, source: dict[str, str]) -> None:
    bucket = source["Bucket"]
    s3.copy_object(
        Bucket=bucket,
        Key="to",
        CopySource=source,
        MetadataDirective="REPLACE",
        Metadata={"c": "d"},
        ContentLanguage="de",
    )
    found = s3.head_object(Bucket=bucket, Key="to")
    assert (found["Metadata"], found["ContentLanguage"]) == ({"c": "d"}, "de")
    assert found["ContentType"] == "binary/octet-stream"
    assert "CacheControl" not in found
    assert found["TagCount"] == 1


def test_metadata_beside_the_copy_directive_is_overlooked(s3: Any, source: dict[str, str]) -> None:
    bucket = source["Bucket"]
    s3.copy_object(Bucket=bucket, Key="to", CopySource=source, MetadataDirective="COPY", Metadata={"c": "d"})
    assert s3.head_object(Bucket=bucket, Key="to")["Metadata"] == {"a": "b"}


def test_replacing_the_tags(s3: Any, source: dict[str, str]) -> None:
    bucket = source["Bucket"]
    s3.copy_object(Bucket=bucket, Key="to", CopySource=source, TaggingDirective="REPLACE", Tagging="n=2")
    assert s3.get_object_tagging(Bucket=bucket, Key="to")["TagSet"] == [{"Key": "n", "Value": "2"}]
    assert s3.head_object(Bucket=bucket, Key="to")["Metadata"] == {"a": "b"}


@pytest.mark.parametrize("header", ["x-amz-metadata-directive", "x-amz-tagging-directive"])
def test_directive_that_is_none_is_refused(raw: Raw, source: dict[str, str], header: str) -> None:
    headers = {"x-amz-copy-source": f"{source['Bucket']}/from", header: "MOVE"}
    answer = raw.put(f"/{source['Bucket']}/to", headers=headers)
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_onto_itself_without_a_change_is_refused(s3: Any, bucket: str) -> None:
    source = {"Bucket": bucket, "Key": "plain"}
    s3.put_object(Body=BODY, **source)
    with refused("InvalidRequest", 400):
        s3.copy_object(CopySource=source, **source)


def test_onto_itself_with_new_metadata(s3: Any, source: dict[str, str]) -> None:
    s3.copy_object(CopySource=source, MetadataDirective="REPLACE", Metadata={"new": "1"}, **source)
    found = s3.get_object(**source)
    assert (found["Metadata"], found["Body"].read()) == ({"new": "1"}, BODY)


def test_null_version_is_named_as_what_was_made_not_as_the_source(s3: Any, bucket: str) -> None:
    # As S3 was recorded to answer, though a PutObject names none.
    s3.put_object(Bucket=bucket, Key="from", Body=BODY)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})
    answer = s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from"})
    assert (answer["VersionId"], answer.get("CopySourceVersionId")) == ("null", None)
    assert "VersionId" not in s3.put_object(Bucket=bucket, Key="from", Body=BODY)


def test_source_by_its_address(raw: Raw, source: dict[str, str]) -> None:
    address = f"{raw.server.url}/{source['Bucket']}/{source['Key']}"
    assert raw.put(f"/{source['Bucket']}/copied", headers={"x-amz-copy-source": address}).status == 200
    assert raw.get(f"/{source['Bucket']}/copied").body == BODY


def test_onto_itself_where_the_bucket_encrypts(s3: Any, source: dict[str, str]) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=source["Bucket"], ServerSideEncryptionConfiguration={"Rules": [rule]})
    for _ in range(2):
        assert s3.copy_object(CopySource=source, **source)["ServerSideEncryption"] == "AES256"


def test_onto_itself_with_the_storage_class_it_has(s3: Any, source: dict[str, str]) -> None:
    s3.copy_object(CopySource=source, StorageClass="STANDARD_IA", **source)
    assert s3.get_object(**source)["Body"].read() == BODY


def test_onto_itself_without_the_storage_class_it_has(s3: Any, bucket: str) -> None:
    source = {"Bucket": bucket, "Key": "plain"}
    s3.put_object(Body=BODY, StorageClass="STANDARD_IA", **source)
    with refused("InvalidRequest", 400):
        s3.copy_object(CopySource=source, **source)


def test_onto_itself_without_a_change_where_a_condition_fails(s3: Any, source: dict[str, str]) -> None:
    with refused("PreconditionFailed", 412):
        s3.copy_object(CopySource=source, IfNoneMatch="*", **source)


def test_onto_itself_with_a_storage_class(s3: Any, source: dict[str, str]) -> None:
    s3.copy_object(CopySource=source, StorageClass="ONEZONE_IA", **source)
    found = s3.head_object(**source)
    assert (found["StorageClass"], found["Metadata"]) == ("ONEZONE_IA", {"a": "b"})


def test_old_version_onto_itself_becomes_current(s3: Any, versioned: str) -> None:
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["VersionId"]
    s3.put_object(Bucket=versioned, Key="key", Body=b"new")
    source = {"Bucket": versioned, "Key": "key", "VersionId": old}
    answer = s3.copy_object(Bucket=versioned, Key="key", CopySource=source)
    assert answer["CopySourceVersionId"] == old
    found = s3.get_object(Bucket=versioned, Key="key")
    assert (found["Body"].read(), found["VersionId"]) == (b"old", answer["VersionId"])
    assert len(s3.list_object_versions(Bucket=versioned)["Versions"]) == 3


def test_source_under_a_delete_marker(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key")
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=versioned, Key="to", CopySource={"Bucket": versioned, "Key": "key"})
    with refused("InvalidRequest", 400):
        source = {"Bucket": versioned, "Key": "key", "VersionId": marker}
        s3.copy_object(Bucket=versioned, Key="to", CopySource=source)


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("conditions", "failed"),
    [
        ({"CopySourceIfMatch": etag(BODY)}, ""),
        ({"CopySourceIfMatch": etag(BODY).strip('"')}, ""),
        ({"CopySourceIfMatch": etag(b"else")}, "x-amz-copy-source-If-Match"),
        ({"CopySourceIfNoneMatch": etag(b"else")}, ""),
        ({"CopySourceIfNoneMatch": etag(BODY)}, "x-amz-copy-source-If-None-Match"),
        ({"CopySourceIfModifiedSince": datetime.now(UTC) - HOUR}, ""),
        ({"CopySourceIfUnmodifiedSince": datetime.now(UTC) - HOUR}, "x-amz-copy-source-If-Unmodified-Since"),
        ({"CopySourceIfUnmodifiedSince": datetime.now(UTC) + HOUR}, ""),
        ({"CopySourceIfMatch": etag(BODY), "CopySourceIfUnmodifiedSince": datetime.now(UTC) - HOUR}, ""),
        (
            {"CopySourceIfNoneMatch": etag(BODY), "CopySourceIfModifiedSince": datetime.now(UTC) - HOUR},
            "x-amz-copy-source-If-None-Match",
        ),
    ],
    ids=lambda value: ",".join(value) if isinstance(value, dict) else value,
)
def test_condition_on_the_source(s3: Any, source: dict[str, str], conditions: dict[str, Any], failed: str) -> None:
    bucket = source["Bucket"]
    if not failed:
        s3.copy_object(Bucket=bucket, Key="to", CopySource=source, **conditions)
        return
    with refused("PreconditionFailed", 412) as error:
        s3.copy_object(Bucket=bucket, Key="to", CopySource=source, **conditions)
    assert error["Condition"].lower() == failed.lower()
    with refused(404):
        s3.head_object(Bucket=bucket, Key="to")


def test_condition_on_the_target(s3: Any, source: dict[str, str]) -> None:
    bucket = source["Bucket"]
    s3.copy_object(Bucket=bucket, Key="to", CopySource=source, IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        s3.copy_object(Bucket=bucket, Key="to", CopySource=source, IfNoneMatch="*")
    with refused("PreconditionFailed", 412):
        s3.copy_object(Bucket=bucket, Key="to", CopySource=source, IfMatch=etag(b"else"))
    s3.copy_object(Bucket=bucket, Key="to", CopySource=source, IfMatch=etag(BODY))
    with refused("NoSuchKey", 404):
        s3.copy_object(Bucket=bucket, Key="none", CopySource=source, IfMatch=etag(BODY))


def test_checksum_comes_along(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="from", Body=BODY, ChecksumAlgorithm="SHA1")
    answer = s3.copy_object(Bucket=bucket, Key="to", CopySource={"Bucket": bucket, "Key": "from"})
    assert answer["CopyObjectResult"]["ChecksumSHA1"] == checksum("SHA1", BODY)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("size", [12, 2 * MIB])
def test_checksum_may_be_of_another_algorithm(s3: Any, bucket: str, algorithm: str, size: int) -> None:
    s3.put_object(Bucket=bucket, Key="from", Body=noise(size), ChecksumAlgorithm="SHA1")
    source = {"Bucket": bucket, "Key": "from"}
    answer = s3.copy_object(Bucket=bucket, Key="to", CopySource=source, ChecksumAlgorithm=algorithm)
    value = checksum(algorithm, noise(size))
    assert answer["CopyObjectResult"][f"Checksum{algorithm}"] == value
    found = s3.head_object(Bucket=bucket, Key="to", ChecksumMode="ENABLED")
    assert found[f"Checksum{algorithm}"] == value
