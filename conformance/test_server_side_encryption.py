"""Objects encrypted by the server's keys (SSE-S3): all that reads and writes them does as with others.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingServerSideEncryption.html
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catalog import Catalog
from conformance.content import MIB, PART, checksum, etag, multipart_etag, noise
from conformance.encrypted import SSE_S3, files_with
from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.scrubbing import flip, largest_blob, scrub
from conformance.server import Server, ducket, environment, run_command, running
from conformance.workers import workers

SIZES = [0, 1, 65_536, 65_537, 1_000_000, 5 * MIB + 17]
MARK = b"this is to be read by nobody who has the disk alone; "


@pytest.mark.parametrize("size", SIZES)
def test_what_was_written_is_read(s3: Any, bucket: str, size: int) -> None:
    body = noise(size)
    put = s3.put_object(Bucket=bucket, Key="key", Body=body, **SSE_S3)
    assert (put["ServerSideEncryption"], put["ETag"]) == ("AES256", etag(body))
    got = s3.get_object(Bucket=bucket, Key="key", ChecksumMode="ENABLED")
    assert (got["ServerSideEncryption"], got["ContentLength"], got["Body"].read()) == ("AES256", size, body)
    assert got["ChecksumCRC32"] == checksum("CRC32", body)
    head = s3.head_object(Bucket=bucket, Key="key")
    assert (head["ServerSideEncryption"], head["ContentLength"]) == ("AES256", size)
    assert [entry["Size"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [size]


def test_what_nobody_asked_to_be_encrypted_is_not(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"plain")
    head = s3.head_object(Bucket=bucket, Key="key")
    assert "ServerSideEncryption" not in put and "ServerSideEncryption" not in head


def test_no_file_has_anything_of_it(tmp_path: Path) -> None:
    text = MARK * 6000
    with running(tmp_path / "data") as server:
        s3 = server.client()
        s3.create_bucket(Bucket="plain")
        s3.put_object(Bucket="plain", Key="key", Body=text[:1000])
        s3.create_bucket(Bucket="sealed")
        default = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}
        s3.put_bucket_encryption(Bucket="sealed", ServerSideEncryptionConfiguration=default)
        for size in (1000, 60_000, len(text)):
            s3.put_object(Bucket="sealed", Key=str(size), Body=text[:size])
        s3.copy_object(Bucket="sealed", Key="copy", CopySource="plain/key")
        upload = Upload.begin(s3, "sealed", "parts").put((text * 20)[:PART], text[:1000])
        upload.complete()
        Upload.begin(s3, "sealed", "under way").put(text[:5000], text)
        s3.delete_object(Bucket="plain", Key="key")
    assert len(files_with(server.data, MARK)) == 1  # the plain one, to show that this finds what is there
    code, report = scrub(server.data)
    assert (code, report["findings"]) == (0, [])


def test_nothing_of_an_upload_that_was_cut_off_by_a_kill(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        server.client().create_bucket(Bucket="bucket")
        raw = Raw(server)
        asked = raw.prepare(
            "PUT", "/bucket/key", payload="UNSIGNED-PAYLOAD", headers={"x-amz-server-side-encryption": "AES256"}
        )
        asked.headers["Content-Length"] = str(40 * MIB)
        with raw.connect() as connection:
            connection.write(asked.head() + (MARK * 700_000)[: 20 * MIB])
            while sum(path.stat().st_size for path in (server.data / "tmp").iterdir()) < 8 * MIB:
                pass
            (worker,) = workers(server)
            os.kill(worker, signal.SIGKILL)
            assert sum(path.stat().st_size for path in (server.data / "tmp").iterdir()) >= 8 * MIB
            assert files_with(server.data, MARK) == []


@pytest.fixture(scope="module")
def large(s3: Any, new_name: Callable[[str], str]) -> tuple[str, bytes]:
    bucket, body = new_name("large"), noise(9 * MIB + 12_345)
    s3.create_bucket(Bucket=bucket)
    s3.put_object(Bucket=bucket, Key="one", Body=body, **SSE_S3)
    Upload.begin(s3, bucket, "parts", **SSE_S3).put(body[:PART], body[PART:]).complete()
    s3.put_object(Bucket=bucket, Key="small", Body=body[:50_000], **SSE_S3)
    return bucket, body


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), key=st.sampled_from(["one", "parts", "small"]))
def test_any_range_is_that_of_the_plain_bytes(s3: Any, large: tuple[str, bytes], data: st.DataObject, key: str) -> None:
    bucket, whole = large
    body = whole[:50_000] if key == "small" else whole
    edges = [edge for at in range(0, len(body), 65_536) for edge in (at - 1, at, at + 1) if 0 <= edge < len(body)]
    place = st.one_of(st.integers(0, len(body) - 1), st.sampled_from(edges))
    first, last = sorted((data.draw(place), data.draw(place)))
    got = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={first}-{last}")
    assert got["ContentRange"] == f"bytes {first}-{last}/{len(body)}"
    assert got["Body"].read() == body[first : last + 1]


def test_parts(s3: Any, bucket: str) -> None:
    first, second = noise(PART), noise(70_000, seed=1)
    upload = Upload.begin(s3, bucket, **SSE_S3)
    assert s3.upload_part(PartNumber=1, Body=first, **upload.named)["ServerSideEncryption"] == "AES256"
    done = upload.put(first, second).complete()
    assert (done["ServerSideEncryption"], done["ETag"]) == ("AES256", multipart_etag(first, second))
    for number, body in ((1, first), (2, second)):
        got = s3.get_object(Bucket=bucket, Key="key", PartNumber=number)
        assert (got["PartsCount"], got["Body"].read()) == (2, body)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == first + second


def test_conditions_and_presigned_urls(s3: Any, bucket: str) -> None:
    put = s3.put_object(Bucket=bucket, Key="key", Body=b"content", **SSE_S3)
    with refused(304):
        s3.get_object(Bucket=bucket, Key="key", IfNoneMatch=put["ETag"])
    url = s3.generate_presigned_url("get_object", {"Bucket": bucket, "Key": "key"})
    answer = requests.get(url)
    assert (answer.content, answer.headers["x-amz-server-side-encryption"]) == (b"content", "AES256")
    url = s3.generate_presigned_url("put_object", {"Bucket": bucket, "Key": "other", **SSE_S3})
    sent = requests.put(url, b"by url", headers={"x-amz-server-side-encryption": "AES256"})
    assert (sent.status_code, sent.headers["x-amz-server-side-encryption"]) == (200, "AES256")


@pytest.mark.parametrize("size", [1000, 100_000])
def test_copies(s3: Any, server: Server, bucket: str, size: int) -> None:
    body = noise(size)
    s3.put_object(Bucket=bucket, Key="plain", Body=body)
    s3.put_object(Bucket=bucket, Key="sealed", Body=body, **SSE_S3)
    for source, asked, wanted in (
        ("plain", {}, None),
        ("plain", SSE_S3, "AES256"),
        ("sealed", SSE_S3, "AES256"),
        ("sealed", {}, "AES256"),  # nothing that was encrypted is laid open unasked
    ):
        copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/{source}", **asked)
        got = s3.get_object(Bucket=bucket, Key="copy")
        assert copied.get("ServerSideEncryption") == got.get("ServerSideEncryption") == wanted
        assert (got["Body"].read(), copied["CopyObjectResult"]["ETag"]) == (body, etag(body))


def test_an_object_is_encrypted_by_a_copy_onto_itself(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"content")
    s3.copy_object(Bucket=bucket, Key="key", CopySource=f"{bucket}/key", **SSE_S3)
    got = s3.get_object(Bucket=bucket, Key="key")
    assert (got["ServerSideEncryption"], got["Body"].read()) == ("AES256", b"content")


def test_a_copy_shares_the_bytes_where_both_are_of_the_servers_keys(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        s3, body = server.client(), noise(300_000)
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="key", Body=body, **SSE_S3)
        s3.copy_object(Bucket="bucket", Key="copy", CopySource="bucket/key", **SSE_S3)
        upload = Upload.begin(s3, "bucket", "parts", **SSE_S3)
        named = {"CopySource": "bucket/key", "CopySourceRange": "bytes=100-200099", **upload.named}
        part = s3.upload_part_copy(PartNumber=1, **named)
        upload.complete([{"PartNumber": 1, "ETag": part["CopyPartResult"]["ETag"]}])
        assert s3.get_object(Bucket="bucket", Key="parts")["Body"].read() == body[100:200_100]
        assert (
            s3.get_object(Bucket="bucket", Key="parts", Range="bytes=65435-65536")["Body"].read() == body[65_535:65_637]
        )
        assert len([path for path in (server.data / "blobs").rglob("*") if path.is_file()]) == 1
    assert scrub(server.data)[0] == 0


@pytest.mark.parametrize("asked", [{}, SSE_S3])
@pytest.mark.parametrize("source", ["small", "large", "parts", "plain"])
def test_parts_are_copied(s3: Any, bucket: str, asked: dict[str, str], source: str) -> None:
    body = noise(PART + 1000)
    s3.put_object(Bucket=bucket, Key="small", Body=body[:5000], **SSE_S3)
    s3.put_object(Bucket=bucket, Key="large", Body=body, **SSE_S3)
    s3.put_object(Bucket=bucket, Key="plain", Body=body)
    Upload.begin(s3, bucket, "parts", **SSE_S3).put(body[:PART], body[PART:]).complete()
    first, last = (10, 4000) if source == "small" else (PART - 100, PART + 899)
    upload = Upload.begin(s3, bucket, "key", **asked)
    named = {"CopySource": f"{bucket}/{source}", "CopySourceRange": f"bytes={first}-{last}", **upload.named}
    answer = s3.upload_part_copy(PartNumber=1, **named)
    assert answer["CopyPartResult"]["ETag"] == etag(body[first : last + 1])
    upload.complete([{"PartNumber": 1, "ETag": answer["CopyPartResult"]["ETag"]}])
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == body[first : last + 1]


def test_a_flipped_bit_is_never_served(tmp_path: Path) -> None:
    with running(tmp_path / "data") as server:
        s3, body = server.client(), noise(3 * MIB)
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="large", Body=body, **SSE_S3)
        flip(largest_blob(server.data), 2 * MIB)
        assert s3.get_object(Bucket="bucket", Key="large", Range="bytes=0-99")["Body"].read() == body[:100]
        with refused("InternalError", 500):
            s3.get_object(Bucket="bucket", Key="large", Range=f"bytes={2 * MIB - 300}-{2 * MIB}")
        with pytest.raises(Exception, match=r"IncompleteRead|prematurely|ended|Broken|aborted"):
            s3.get_object(Bucket="bucket", Key="large")["Body"].read()
    code, report = scrub(server.data)
    assert code == 1
    assert {finding["key"] for finding in report["findings"]} == {"large"}


def test_what_is_damaged_is_had_again_from_a_backup_and_from_a_copy(tmp_path: Path) -> None:
    body = noise(400_000)
    with running(tmp_path / "data") as server:
        s3 = server.client()
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="large", Body=body, **SSE_S3)
        run_command("backup", str(tmp_path / "backup"), "--data", str(server.data))
    blob = largest_blob(server.data)
    sound = blob.read_bytes()
    blob.unlink()  # the backup has a link to it
    blob.write_bytes(sound)
    flip(blob, 100_000)
    code, report = scrub(server.data, "--repair", "--from", str(tmp_path / "backup"))
    assert (code, {each["result"] for each in report["findings"]}) == (0, {"repaired"})
    assert blob.read_bytes() == sound
    with running(server.data) as again:
        again.client().put_object(Bucket="bucket", Key="plain copy", Body=body)
    flip(blob, 300_000)
    code, report = scrub(server.data, "--repair")
    assert (code, blob.read_bytes()) == (0, sound)
    assert "plain copy" in report["findings"][0]["detail"]


def test_the_key_may_be_kept_elsewhere_and_be_followed_by_another(tmp_path: Path) -> None:
    first, second = ("A" * 43 + "=", "B" * 42 + "A=")
    data = tmp_path / "data"
    with running(data, env={"DUCKET_ENCRYPTION_KEY": first}) as server:
        s3 = server.client()
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="first", Body=MARK, **SSE_S3)
    assert not (data / "encryption.key").exists()
    with running(data, env={"DUCKET_ENCRYPTION_KEY": f"{second},{first}"}) as server:
        s3 = server.client()
        s3.put_object(Bucket="bucket", Key="second", Body=MARK, **SSE_S3)
        assert s3.get_object(Bucket="bucket", Key="first")["Body"].read() == MARK
    with running(data, env={"DUCKET_ENCRYPTION_KEY": second}) as server:
        s3 = server.client()
        assert s3.get_object(Bucket="bucket", Key="second")["Body"].read() == MARK
        with refused("InternalError", 500):
            s3.get_object(Bucket="bucket", Key="first")
    with running(data) as server:  # no key is made in the place of one that is lost
        with refused("InternalError", 500):
            server.client().put_object(Bucket="bucket", Key="third", Body=MARK, **SSE_S3)
        server.client().put_object(Bucket="bucket", Key="plain", Body=b"as ever")
    assert not (data / "encryption.key").exists()
    said = subprocess.run(ducket("doctor", "--data", str(data)), capture_output=True, text=True, env=environment())
    assert said.returncode == 1 and said.stdout.count("the encryption key") == 2


def test_sql_says_which_are_encrypted(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="plain", Body=b"a")
    s3.put_object(Bucket=bucket, Key="sealed", Body=b"b", **SSE_S3)
    for view in ("objects", "versions", "journal"):
        found = run_command(
            *("sql", "--data", str(server.data), "--format", "csv"),
            f"SELECT key, encryption_status FROM {view} WHERE bucket = '{bucket}' AND key IS NOT NULL ORDER BY key",
        )
        assert found.split() == ['"key","encryption_status"', '"plain","NOT-SSE"', '"sealed","SSE-S3"']


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"x-amz-server-side-encryption": "aws:kms:dsse"}, 501, "NotImplemented"),
        ({"x-amz-server-side-encryption": "aes256"}, 400, "InvalidArgument"),
        ({"x-amz-server-side-encryption": ""}, 400, "InvalidArgument"),
        ({"x-amz-server-side-encryption-aws-kms-key-id": "key"}, 400, "InvalidArgument"),
        (
            {"x-amz-server-side-encryption": "AES256", "x-amz-server-side-encryption-aws-kms-key-id": "key"},
            400,
            "InvalidArgument",
        ),
        (
            {"x-amz-server-side-encryption": "AES256", "x-amz-server-side-encryption-context": "e30="},
            501,
            "NotImplemented",
        ),
    ],
)
def test_what_cannot_be_is_refused(raw: Raw, bucket: str, headers: dict[str, str], status: int, code: str) -> None:
    raw.put(f"/{bucket}/source", b"body")
    for answer in (
        raw.put(f"/{bucket}/key", b"body", headers=headers),
        raw.put(f"/{bucket}/key", headers=headers | {"x-amz-copy-source": f"{bucket}/source"}),
        raw.post(f"/{bucket}/key", query={"uploads": ""}, headers=headers),
    ):
        assert (answer.status, answer.code) == (status, code)
    assert raw.head(f"/{bucket}/key").status == 404


def test_who_reads_says_nothing_of_how_to_write(raw: Raw, bucket: str) -> None:
    raw.put(f"/{bucket}/key", b"body", headers={"x-amz-server-side-encryption": "AES256"})
    answer = raw.get(f"/{bucket}/key", headers={"x-amz-server-side-encryption": "AES256"})
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert raw.head(f"/{bucket}/key", headers={"x-amz-server-side-encryption": "AES256"}).status == 400


def test_in_chunks_with_a_trailer(s3: Any, bucket: str) -> None:
    """As boto3 sends what it cannot seek in; the checksum is that of the plain bytes."""
    body = random.Random(5).randbytes(300_000)
    put = s3.put_object(Bucket=bucket, Key="key", Body=body, ChecksumAlgorithm="SHA256", **SSE_S3)
    assert put["ChecksumSHA256"] == checksum("SHA256", body)
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == body


def test_a_flipped_bit_of_a_small_body_is_never_served(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        s3 = server.client()
        s3.create_bucket(Bucket="bucket")
        s3.put_object(Bucket="bucket", Key="key", Body=MARK, **SSE_S3)
        run_command("backup", str(tmp_path / "backup"), "--data", str(server.data))
        segment, offset = place_of_small(server.data)
        flip(server.data / "log" / f"{segment:016x}.log", offset + 5)
        for more in ({}, {"Range": "bytes=40-41"}):
            with refused("InternalError", 500):
                s3.get_object(Bucket="bucket", Key="key", **more)
        code, report = scrub(server.data)
        assert code == 1 and {each["key"] for each in report["findings"] if "key" in each} == {"key"}
        assert scrub(server.data, "--repair", "--from", str(tmp_path / "backup"))[0] == 0
        assert s3.get_object(Bucket="bucket", Key="key")["Body"].read() == MARK


def place_of_small(data: Path) -> tuple[int, int]:
    catalog = Catalog.open(data)
    try:
        body = catalog.get(catalog.bucket("bucket"), "key").body
    finally:
        catalog.release()
    assert body is not None
    return body.segment, body.offset


def test_it_is_all_there_after_a_restore_and_with_the_index_made_anew(tmp_path: Path) -> None:
    body = noise(PART + 70_000)
    wanted = {"small": body[:1000], "large": body[:300_000], "parts": body}
    with running(tmp_path / "data") as server:
        s3 = server.client()
        s3.create_bucket(Bucket="bucket")
        for key in ("small", "large"):
            s3.put_object(Bucket="bucket", Key=key, Body=wanted[key], **SSE_S3)
        Upload.begin(s3, "bucket", "parts", **SSE_S3).put(body[:PART], body[PART:]).complete()
        Upload.begin(s3, "bucket", "under way", **SSE_S3).put(body[:1000])
        run_command("backup", str(tmp_path / "backup"), "--data", str(server.data))
    run_command("restore", str(tmp_path / "backup"), "--data", str(tmp_path / "restored"))
    shutil.rmtree(tmp_path / "data" / "index")
    (tmp_path / "data" / "catalog.duckdb").unlink()
    for data in (tmp_path / "restored", tmp_path / "data"):
        with running(data) as again:
            s3 = again.client()
            for key, content in wanted.items():
                got = s3.get_object(Bucket="bucket", Key=key)
                assert (got["ServerSideEncryption"], got["Body"].read()) == ("AES256", content)
        assert scrub(data)[0] == 0
