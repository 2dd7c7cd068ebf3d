"""Objects encrypted by keys of the clients' own (SSE-C).

https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerSideEncryptionCustomerKeys.html
"""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
import trustme
from botocore.config import Config

from conformance.content import MIB, PART, checksum, etag, noise
from conformance.encrypted import KEY, OTHER, SSE_S3, files_with, headers, md5, own, shown, source
from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.scrubbing import flip, largest_blob, scrub
from conformance.server import REGION, Server, run_command, running

MARK = b"this is to be read by nobody who has the disk alone; "
STEM = "x-amz-server-side-encryption-customer-"


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3 * MIB + 5])
def test_what_was_written_is_read_with_the_key(s3: Any, bucket: str, size: int) -> None:
    body = noise(size)
    put = s3.put_object(Bucket=bucket, Key="key", Body=body, ChecksumAlgorithm="SHA256", **own())
    assert shown(put) == (None, "AES256", md5(KEY))
    assert put["ETag"] != etag(body) and len(put["ETag"]) == 34
    assert put["ChecksumSHA256"] == checksum("SHA256", body)
    got = s3.get_object(Bucket=bucket, Key="key", **own())
    assert (*shown(got), got["ETag"], got["Body"].read()) == (None, "AES256", md5(KEY), put["ETag"], body)
    head = s3.head_object(Bucket=bucket, Key="key", **own())
    assert (*shown(head), head["ContentLength"]) == (None, "AES256", md5(KEY), size)
    if size:
        assert s3.get_object(Bucket=bucket, Key="key", Range="bytes=-1", **own())["Body"].read() == body[-1:]


def test_without_the_key_or_with_another_there_is_nothing(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"content", **own())
    named = {"Bucket": bucket, "Key": "key"}
    with refused("InvalidRequest", 400) as error:
        s3.get_object(**named)
    assert error["Message"].startswith("The object was stored using a form of Server Side Encryption.")
    with refused(400):
        s3.head_object(**named)
    with refused("AccessDenied", 403) as error:
        s3.get_object(**named, **own(OTHER))
    assert error["Message"].endswith("must provide the correct secret key.")
    with refused(403):
        s3.head_object(**named, **own(OTHER))
    with refused("InvalidRequest", 400):
        s3.get_object_attributes(**named, ObjectAttributes=["ETag"])
    assert s3.get_object_attributes(**named, ObjectAttributes=["ObjectSize"], **own())["ObjectSize"] == 7
    with refused("InvalidRequest", 400):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=named)
    with refused("AccessDenied", 403):
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=named, **source(OTHER))


@pytest.mark.parametrize("asked", [{}, SSE_S3])
def test_a_key_for_what_needs_none_is_refused(s3: Any, bucket: str, asked: dict[str, str]) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"content", **asked)
    with refused("InvalidRequest", 400) as error:
        s3.get_object(Bucket=bucket, Key="key", **own())
    assert error["Message"] == "The encryption parameters are not applicable to this object."
    with refused(400):
        s3.head_object(Bucket=bucket, Key="key", **own())


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({f"{STEM}algorithm": None}, "InvalidArgument"),
        ({f"{STEM}algorithm": "ROT13"}, "InvalidEncryptionAlgorithmError"),
        ({f"{STEM}algorithm": "aes256"}, "InvalidEncryptionAlgorithmError"),
        ({f"{STEM}key": None}, "InvalidArgument"),
        ({f"{STEM}key": ""}, "InvalidArgument"),
        ({f"{STEM}key": "no base64"}, "InvalidArgument"),
        ({f"{STEM}key": base64.b64encode(KEY[:31]).decode(), f"{STEM}key-MD5": md5(KEY[:31])}, "InvalidArgument"),
        ({f"{STEM}key": base64.b64encode(KEY * 2).decode(), f"{STEM}key-MD5": md5(KEY * 2)}, "InvalidArgument"),
        ({f"{STEM}key-MD5": None}, "InvalidArgument"),
        ({f"{STEM}key-MD5": md5(OTHER)}, "InvalidArgument"),
        ({f"{STEM}key-MD5": "no base64!"}, "InvalidArgument"),
        ({"x-amz-server-side-encryption": "AES256"}, "InvalidArgument"),
    ],
)
def test_a_key_that_is_none_is_refused(raw: Raw, bucket: str, changed: dict[str, str | None], code: str) -> None:
    sent = {name: value for name, value in (headers() | changed).items() if value is not None}
    raw.put(f"/{bucket}/there", b"body", headers=headers())
    answers = [
        raw.put(f"/{bucket}/key", b"body", headers=sent),
        raw.post(f"/{bucket}/key", query={"uploads": ""}, headers=sent),
    ]
    if "x-amz-server-side-encryption" not in changed:
        answers.append(raw.get(f"/{bucket}/there", headers=sent))
    for answer in answers:
        assert (answer.status, answer.code) == (400, code)
        assert answer.text("ArgumentName") == "x-amz-server-side-encryption"
        assert base64.b64encode(KEY) not in answer.body
    assert raw.head(f"/{bucket}/key").status == 404


def test_parts(s3: Any, bucket: str) -> None:
    first, second = noise(PART), noise(70_000, seed=1)
    upload = Upload.begin(s3, bucket, **own())
    for wrong in ({}, own(OTHER)):
        with refused("InvalidRequest", 400):
            s3.upload_part(PartNumber=1, Body=b"part", **wrong, **upload.named)
        with refused("InvalidRequest", 400):
            s3.upload_part_copy(PartNumber=1, CopySource=f"{bucket}/any", **wrong, **upload.named)
    assert shown(s3.upload_part(PartNumber=1, Body=first, **own(), **upload.named)) == (None, "AES256", md5(KEY))
    upload.put(first, second, **own())
    with refused("InvalidRequest", 400):
        upload.complete(**own(OTHER))
    upload.complete(**own())
    got = s3.get_object(Bucket=bucket, Key="key", **own())
    assert (*shown(got), got["Body"].read()) == (None, "AES256", md5(KEY), first + second)
    got = s3.get_object(Bucket=bucket, Key="key", Range=f"bytes={PART - 10}-{PART + 9}", **own())
    assert got["Body"].read() == first[-10:] + second[:10]
    assert s3.get_object(Bucket=bucket, Key="key", PartNumber=2, **own())["Body"].read() == second
    with refused("AccessDenied", 403):
        s3.get_object(Bucket=bucket, Key="key", **own(OTHER))
    with refused("InvalidRequest", 400):
        s3.get_object(Bucket=bucket, Key="key")


def test_parts_with_checksums_want_the_key_at_the_end(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket, ChecksumAlgorithm="CRC32", **own())
    part = s3.upload_part(PartNumber=1, Body=b"part", ChecksumAlgorithm="CRC32", **own(), **upload.named)
    upload.parts.append({"PartNumber": 1, "ETag": part["ETag"], "ChecksumCRC32": part["ChecksumCRC32"]})
    for refuse in (upload.complete, lambda: s3.list_parts(**upload.named)):
        with refused("InvalidRequest", 400):
            refuse()
    assert len(s3.list_parts(**own(), **upload.named)["Parts"]) == 1
    upload.complete(**own())


def test_an_upload_without_a_key_takes_none(s3: Any, bucket: str) -> None:
    for asked in ({}, SSE_S3):
        upload = Upload.begin(s3, bucket, **asked)
        with refused("InvalidRequest", 400):
            s3.upload_part(PartNumber=1, Body=b"part", **own(), **upload.named)


@pytest.mark.parametrize("size", [5_000, 200_000])
def test_copies_from_and_to_every_kind(s3: Any, bucket: str, size: int) -> None:
    body = noise(size)
    kinds: list[dict[str, str]] = [{}, SSE_S3, own(), own(OTHER)]
    for number, of_source in enumerate(kinds):
        s3.put_object(Bucket=bucket, Key="source", Body=body, **of_source)
        opening = source(KEY if number == 2 else OTHER) if number > 1 else {}
        for to, target in enumerate(kinds):
            copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/source", **opening, **target)
            got = s3.get_object(Bucket=bucket, Key="copy", **(target if to > 1 else {}))
            assert got["Body"].read() == body
            assert shown(got) == shown(copied)
            assert got["ETag"] == copied["CopyObjectResult"]["ETag"]
            # What was encrypted does not become plain.
            wanted = ("AES256" if number else None) if not to else "AES256" if to == 1 else None
            assert got.get("ServerSideEncryption") == wanted
            upload = Upload.begin(s3, bucket, "parts", **target)
            part = s3.upload_part_copy(
                PartNumber=1,
                CopySource=f"{bucket}/source",
                CopySourceRange="bytes=7-4006",
                **opening,
                **(target if to > 1 else {}),
                **upload.named,
            )
            upload.complete([{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}], **(target if to > 1 else {}))
            got = s3.get_object(Bucket=bucket, Key="parts", **(target if to > 1 else {}))
            assert got["Body"].read() == body[7:4007]


def test_a_bucket_may_block_them(s3: Any, bucket: str) -> None:
    rule = {"BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}}
    s3.put_object(Bucket=bucket, Key="before", Body=b"content", **own())
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    with refused("AccessDenied", 403):
        s3.put_object(Bucket=bucket, Key="key", Body=b"content", **own())
    with refused("AccessDenied", 403):
        s3.create_multipart_upload(Bucket=bucket, Key="key", **own())
    assert s3.get_object(Bucket=bucket, Key="before", **own())["Body"].read() == b"content"
    assert "ServerSideEncryption" not in s3.put_object(Bucket=bucket, Key="plain", Body=b"content")


def test_a_default_of_the_bucket_gives_way(s3: Any, bucket: str) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": [rule]})
    assert shown(s3.put_object(Bucket=bucket, Key="key", Body=b"content", **own())) == (None, "AES256", md5(KEY))


def test_neither_key_nor_content_is_on_the_disk(tmp_path: Path) -> None:
    text = MARK * 3000
    with running(tmp_path / "data", "--request-log", str(tmp_path / "data" / "requests.jsonl")) as server:
        s3 = server.client()
        s3.create_bucket(Bucket="bucket")
        for size in (1000, len(text)):
            s3.put_object(Bucket="bucket", Key=str(size), Body=text[:size], **own())
        Upload.begin(s3, "bucket", "under way", **own()).put(text[:5000], text, **own())
        with refused("AccessDenied", 403):
            s3.get_object(Bucket="bucket", Key="1000", **own(OTHER))
    for secret in (MARK, KEY, KEY.hex().encode(), base64.b64encode(KEY), base64.b64encode(OTHER)):
        assert files_with(server.data, secret) == []
    assert scrub(server.data)[0] == 0
    flip(largest_blob(server.data), 70_000)
    code, report = scrub(server.data)
    assert (code, {each["kind"] for each in report["findings"]}) == (1, {"block"})


def test_sql_says_which_they_are(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"a", **own())
    statement = f"SELECT encryption_status, size FROM objects WHERE bucket = '{bucket}'"
    found = run_command("sql", "--data", str(server.data), "--format", "csv", statement)
    assert found.split()[1:] == ['"SSE-C",1']


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """No key may come to it without TLS, from wherever."""
    folder = tmp_path_factory.mktemp("strict")
    with running(folder / "data", "--workers", "1", "--sse-c-over-http", "never") as made:
        made.client().create_bucket(Bucket="bucket")
        yield made


def test_no_key_comes_over_plain_http_where_none_may(strict: Server) -> None:
    s3 = strict.client()
    s3.put_object(Bucket="bucket", Key="key", Body=b"plain")
    for call, given in (
        (s3.put_object, {"Body": b"content"}),
        (s3.get_object, {}),
        (s3.create_multipart_upload, {}),
    ):
        with refused("InvalidRequest", 400) as error:
            call(Bucket="bucket", Key="key", **given, **own())
        assert "must be made over a secure connection" in error["Message"]


def test_over_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    made = authority.issue_cert("127.0.0.1", "localhost")
    made.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    made.private_key_pem.write_to_path(tmp_path / "key.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    options = ["--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem")]
    with running(tmp_path / "data", "--workers", "1", "--sse-c-over-http", "never", *options) as server:
        s3 = boto3.client(
            "s3",
            endpoint_url=server.url,
            region_name=REGION,
            aws_access_key_id=server.keys.access,
            aws_secret_access_key=server.keys.secret,
            verify=str(tmp_path / "ca.pem"),
            config=Config(retries={"total_max_attempts": 1}, proxies={}, s3={"addressing_style": "path"}),
        )
        s3.create_bucket(Bucket="bucket")
        for size in (1000, 3 * MIB):
            body = noise(size)
            s3.put_object(Bucket="bucket", Key="key", Body=body, **own())
            assert s3.get_object(Bucket="bucket", Key="key", **own())["Body"].read() == body
