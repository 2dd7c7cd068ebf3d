"""Objects encrypted under the name of a KMS's key (SSE-KMS): the server's own keys stand behind each name.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from conformance.content import PART, etag, noise
from conformance.encrypted import files_with
from conformance.multipart import Upload
from conformance.policies import put_policy, statement
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.scrubbing import scrub
from conformance.server import Server, run_command, running
from conformance.test_post_object import form_of, prepared, send

ORDERS: dict[str, Any] = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": "orders"}
ANY: dict[str, Any] = {"ServerSideEncryption": "aws:kms"}
DEFAULT = "alias/aws/s3"
SIZES = [0, 1, 65_537, 5_000_000]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("ducket") / "data", "--kms-keys", "orders, team/invoices") as server:
        yield server


@pytest.fixture(scope="module")
def s3(server: Server) -> Any:
    return server.client()


@pytest.fixture(scope="module")
def raw(server: Server) -> Raw:
    return Raw(server)


def said(answer: dict[str, Any]) -> tuple[Any, Any]:
    return answer.get("ServerSideEncryption"), answer.get("SSEKMSKeyId")


def default_of(s3: Any, bucket: str, **rule: Any) -> None:
    rules = [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"} | rule}]
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": rules})


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_is_read(s3: Any, bucket: str, size: int) -> None:
    body = noise(size)
    put = s3.put_object(Bucket=bucket, Key="key", Body=body, **ORDERS)
    assert (said(put), put["ETag"]) == (("aws:kms", "orders"), etag(body))
    got = s3.get_object(Bucket=bucket, Key="key")
    assert (said(got), got["Body"].read()) == (("aws:kms", "orders"), body)
    head = s3.head_object(Bucket=bucket, Key="key")
    assert (said(head), head["ContentLength"]) == (("aws:kms", "orders"), size)
    part = s3.get_object(Bucket=bucket, Key="key", Range="bytes=-3") if size > 3 else got
    assert said(part) == ("aws:kms", "orders")


def test_where_no_key_is_named_it_is_aws_s_own(s3: Any, bucket: str) -> None:
    assert said(s3.put_object(Bucket=bucket, Key="key", Body=b"body", **ANY)) == ("aws:kms", DEFAULT)
    again = s3.put_object(Bucket=bucket, Key="again", Body=b"body", **ANY, SSEKMSKeyId=DEFAULT)
    assert said(again) == said(s3.get_object(Bucket=bucket, Key="key")) == ("aws:kms", DEFAULT)


@pytest.mark.parametrize(
    "name",
    [
        "orders",
        "alias/orders",
        "arn:aws:kms:eu-central-1:123456789012:key/orders",
        "arn:aws:kms:eu-central-1:123456789012:alias/team/invoices",
        "arn:aws:kms:team/invoices",
        "team/invoices",
    ],
)
def test_a_key_may_be_named_in_any_form(s3: Any, bucket: str, name: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"body", **ANY, SSEKMSKeyId=name)
    got = s3.get_object(Bucket=bucket, Key="key")
    assert said(put) == said(got) == ("aws:kms", name)
    assert got["Body"].read() == b"body"


@pytest.mark.parametrize("name", ["other", "order", "alias/", "key/team", "arn:aws:kms:us-east-1:1:key/other"])
def test_a_key_that_nobody_named_is_not_found(s3: Any, bucket: str, name: str) -> None:
    with refused("KMS.NotFoundException", 400):
        s3.put_object(Bucket=bucket, Key="key", Body=b"body", **ANY, SSEKMSKeyId=name)
    with refused("KMS.NotFoundException", 400):
        s3.create_multipart_upload(Bucket=bucket, Key="key", **ANY, SSEKMSKeyId=name)
    with refused(404):
        s3.head_object(Bucket=bucket, Key="key")


def test_a_key_is_named_with_the_algorithm_alone(raw: Raw, bucket: str) -> None:
    header = "x-amz-server-side-encryption"
    for headers in ({}, {header: "AES256"}):
        answer = raw.put(f"/{bucket}/key", b"body", headers=headers | {f"{header}-aws-kms-key-id": "orders"})
        assert (answer.status, answer.code) == (400, "InvalidArgument")
    answer = raw.get(f"/{bucket}/key", headers={header: "aws:kms"})
    assert answer.status in (400, 404)


def test_a_bucket_s_default(s3: Any, bucket: str) -> None:
    default_of(s3, bucket, KMSMasterKeyID="alias/orders")
    assert said(s3.put_object(Bucket=bucket, Key="key", Body=b"body")) == ("aws:kms", "alias/orders")
    other = s3.put_object(Bucket=bucket, Key="other", Body=b"body", ServerSideEncryption="AES256")
    assert said(other) == ("AES256", None)
    default_of(s3, bucket)
    assert said(s3.put_object(Bucket=bucket, Key="key", Body=b"body")) == ("aws:kms", DEFAULT)
    default_of(s3, bucket, KMSMasterKeyID="unheard-of")
    with refused("KMS.NotFoundException", 400):
        s3.put_object(Bucket=bucket, Key="refused", Body=b"body")


def test_a_bucket_key_is_said_where_one_was_wished_for(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"body", **ORDERS, BucketKeyEnabled=True)
    assert put["BucketKeyEnabled"] and s3.head_object(Bucket=bucket, Key="key")["BucketKeyEnabled"]
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}, "BucketKeyEnabled": True}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert s3.put_object(Bucket=bucket, Key="key", Body=b"body")["BucketKeyEnabled"]
    assert "BucketKeyEnabled" not in s3.put_object(Bucket=bucket, Key="key", Body=b"body", BucketKeyEnabled=False)


def test_in_parts(s3: Any, bucket: str) -> None:
    first, last = noise(PART), b"the end"
    created = s3.create_multipart_upload(Bucket=bucket, Key="key", **ORDERS)
    assert said(created) == ("aws:kms", "orders")
    named = {"Bucket": bucket, "Key": "key", "UploadId": created["UploadId"]}
    put = [s3.upload_part(**named, PartNumber=number, Body=body) for number, body in ((1, first), (2, last))]
    assert said(put[0]) == ("aws:kms", "orders")
    parts = [{"PartNumber": number, "ETag": part["ETag"]} for number, part in enumerate(put, 1)]
    assert said(s3.complete_multipart_upload(**named, MultipartUpload={"Parts": parts})) == ("aws:kms", "orders")
    got = s3.get_object(Bucket=bucket, Key="key")
    assert (said(got), got["Body"].read()) == (("aws:kms", "orders"), first + last)
    assert s3.get_object(Bucket=bucket, Key="key", PartNumber=2)["Body"].read() == last


@pytest.mark.parametrize("size", [100, 3_000_000])
def test_copies_are_encrypted_as_they_are_asked_to_be(s3: Any, bucket: str, size: int) -> None:
    body = noise(size)
    ways: list[dict[str, Any]] = [{}, {"ServerSideEncryption": "AES256"}, ANY, ORDERS]
    for number, way in enumerate(ways):
        s3.put_object(Bucket=bucket, Key=str(number), Body=body, **way)
    for number in range(len(ways)):
        for way in ways:
            s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/{number}", **way)
            got = s3.get_object(Bucket=bucket, Key="copy")
            kept = "AES256" if number else None  # what is encrypted is not laid open
            expected = (way.get("ServerSideEncryption", kept), way.get("SSEKMSKeyId", DEFAULT if way == ANY else None))
            assert (said(got), got["Body"].read()) == (expected, body)


def test_a_policy_may_demand_a_key(s3: Any, bucket: str) -> None:
    key = {"StringNotEquals": {"s3:x-amz-server-side-encryption-aws-kms-key-id": "orders"}}
    put_policy(s3, bucket, statement(bucket, "s3:PutObject", Effect="Deny", Principal="*", Condition=key))
    s3.put_object(Bucket=bucket, Key="key", Body=b"body", **ORDERS)
    with refused("AccessDenied", 403):
        s3.put_object(Bucket=bucket, Key="key", Body=b"body", **ANY)


def test_by_a_form(s3: Any, raw: Raw, bucket: str) -> None:
    fields = {
        "x-amz-server-side-encryption": "aws:kms",
        "x-amz-server-side-encryption-aws-kms-key-id": "orders",
    }
    answer = send(raw, bucket, form_of(prepared(s3, bucket, "key", fields), b"content"))
    assert (answer.status, answer.header("x-amz-server-side-encryption")) == (204, "aws:kms")
    got = s3.get_object(Bucket=bucket, Key="key")
    assert (said(got), got["Body"].read()) == (("aws:kms", "orders"), b"content")


def test_sql_says_which_are(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body", **ORDERS)
    query = f"SELECT encryption_status FROM objects WHERE bucket = '{bucket}'"
    assert run_command("sql", "--data", str(server.data), "--format", "csv", query).split()[1:] == ['"SSE-KMS"']


def test_what_lies_there_is_read_whatever_keys_are_named_now(tmp_path: Path) -> None:
    text = b"this is to be read by nobody who has the disk alone; " * 6000
    with running(tmp_path / "data", "--kms-keys", "orders") as server:
        s3 = server.client()
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="small", Body=text[:1000], **ORDERS)
        s3.put_object(Bucket="bucket", Key="large", Body=text, **ORDERS)
        Upload.begin(s3, "bucket", "parts", **ORDERS).put((text * 20)[:PART], text).complete()
    assert files_with(server.data, text[:50]) == []
    code, report = scrub(server.data)
    assert (code, report["findings"]) == (0, [])
    with running(tmp_path / "data") as server:
        s3 = server.client()
        assert s3.get_object(Bucket="bucket", Key="small")["Body"].read() == text[:1000]
        assert s3.get_object(Bucket="bucket", Key="large")["Body"].read() == text
        assert s3.get_object(Bucket="bucket", Key="parts")["Body"].read() == (text * 20)[:PART] + text
        with refused("KMS.NotFoundException", 400):
            s3.put_object(Bucket="bucket", Key="new", Body=b"body", **ORDERS)
