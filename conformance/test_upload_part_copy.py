from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conformance.content import MIB, PART, etag, multipart_etag, noise
from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.refusals import refused

BODY = b"0123456789"


@pytest.fixture
def upload(s3: Any, bucket: str) -> Upload:
    """An upload to `key` in a bucket whose object `from` holds ten digits."""
    s3.put_object(Bucket=bucket, Key="from", Body=BODY)
    return Upload.begin(s3, bucket)


def copy(upload: Upload, number: int = 1, **options: Any) -> Any:
    source = {"CopySource": {"Bucket": upload.bucket, "Key": "from"}} | options
    answer = upload.s3.upload_part_copy(PartNumber=number, **source, **upload.named)
    upload.parts.append({"PartNumber": number, "ETag": answer["CopyPartResult"]["ETag"]})
    return answer


def test_whole_object(s3: Any, upload: Upload) -> None:
    assert copy(upload)["CopyPartResult"]["ETag"] == etag(BODY)
    upload.complete()
    assert s3.get_object(Bucket=upload.bucket, Key="key")["Body"].read() == BODY


def test_body_is_the_element_aws_sends(raw: Raw, upload: Upload) -> None:
    answer = raw.put(
        f"/{upload.bucket}/key",
        query={"uploadId": upload.id, "partNumber": "1"},
        headers={"x-amz-copy-source": f"/{upload.bucket}/from"},
    )
    assert answer.status == 200
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}CopyPartResult"
    assert answer.text("ETag") == etag(BODY)
    assert (answer.text("LastModified") or "").endswith(".000Z")


@pytest.mark.parametrize(
    ("asked", "got"), [("0-8", BODY[:9]), ("1-1", b"1"), ("0-0", b"0"), ("9-9", b"9"), ("0-9", BODY)]
)
def test_range(s3: Any, upload: Upload, asked: str, got: bytes) -> None:
    assert copy(upload, CopySourceRange=f"bytes={asked}")["CopyPartResult"]["ETag"] == etag(got)
    upload.complete()
    assert s3.get_object(Bucket=upload.bucket, Key="key")["Body"].read() == got


@pytest.mark.parametrize(
    "asked",
    ["0-8", "bytes=1-0", "bytes=-1-", "bytes=0--1", "bytes=0-1,3-4", "bytes=-", "bytes=-0", "bytes=1-", "bytes=-2"],
)
def test_range_in_a_wrong_form_is_refused(upload: Upload, asked: str) -> None:
    with refused("InvalidArgument", 400) as error:
        copy(upload, CopySourceRange=asked)
    assert error["ArgumentName"] == "x-amz-copy-source-range"


def test_range_past_the_end_is_refused(upload: Upload) -> None:
    with refused("InvalidArgument", 400):
        copy(upload, CopySourceRange="bytes=0-100")
    with refused("InvalidRequest", 400):
        copy(upload, CopySourceRange="bytes=100-200")


def test_large_object_by_ranges(s3: Any, bucket: str) -> None:
    body, size = noise(PART * 2 + 1000), PART + 1
    s3.put_object(Bucket=bucket, Key="from", Body=body)
    upload = Upload.begin(s3, bucket)
    copy(upload, 1, CopySourceRange=f"bytes=0-{size - 1}")
    copy(upload, 2, CopySourceRange=f"bytes={size}-{len(body) - 1}")
    assert upload.complete()["ETag"] == multipart_etag(body[:size], body[size:])
    s3.delete_object(Bucket=bucket, Key="from")
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == body


def test_range_across_parts_of_a_multipart_source(s3: Any, bucket: str) -> None:
    first, second = noise(PART, 1), noise(MIB, 2)
    Upload.begin(s3, bucket, "from").put(first, second).complete()
    upload = Upload.begin(s3, bucket)
    copy(upload, CopySourceRange=f"bytes={PART - 10}-{PART + 9}")
    upload.complete()
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == first[-10:] + second[:10]


def test_old_version(s3: Any, versioned: str) -> None:
    old = s3.put_object(Bucket=versioned, Key="from", Body=b"old")["VersionId"]
    s3.put_object(Bucket=versioned, Key="from", Body=b"new")
    upload = Upload.begin(s3, versioned)
    source = {"Bucket": versioned, "Key": "from", "VersionId": old}
    answer = copy(upload, CopySource=source)
    assert (answer["CopySourceVersionId"], answer["CopyPartResult"]["ETag"]) == (old, etag(b"old"))


HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    "condition",
    [
        {"CopySourceIfMatch": etag(b"else")},
        {"CopySourceIfNoneMatch": etag(BODY)},
        {"CopySourceIfUnmodifiedSince": datetime.now(UTC) - HOUR},
    ],
    ids=lambda condition: next(iter(condition)),
)
def test_condition_that_fails(s3: Any, upload: Upload, condition: dict[str, Any]) -> None:
    with refused("PreconditionFailed", 412):
        copy(upload, **condition)
    assert "Parts" not in s3.list_parts(**upload.named)


def test_condition_that_holds(upload: Upload) -> None:
    copy(upload, CopySourceIfMatch=etag(BODY), CopySourceIfModifiedSince=datetime.now(UTC) - HOUR)


def test_source_that_is_not_there(upload: Upload) -> None:
    with refused("NoSuchKey", 404):
        copy(upload, CopySource={"Bucket": upload.bucket, "Key": "none"})
    with refused("NoSuchBucket", 404):
        copy(upload, CopySource="there-is-no-such-bucket/none")


def test_upload_that_is_not_there(s3: Any, upload: Upload) -> None:
    with refused("NoSuchUpload", 404):
        s3.upload_part_copy(**upload.named | {"UploadId": "none"}, PartNumber=1, CopySource=f"{upload.bucket}/from")


def test_source_of_another_is_forbidden(alice: Any, new_name: Any, upload: Upload) -> None:
    hers = new_name("alice")
    alice.create_bucket(Bucket=hers)
    with refused("AccessDenied", 403):
        copy(Upload.begin(alice, hers), CopySource=f"{upload.bucket}/from")
