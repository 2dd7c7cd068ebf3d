"""Access logs: what a line says of each kind of request, and how lines are delivered."""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from urllib.request import urlopen

import pytest
from botocore.exceptions import ClientError

from conformance.access_logs import SECONDS, Line, delivered, let_write, log_objects, log_to, read_lines
from conformance.conftest import ALICE, ALICE_ID
from conformance.raw import Raw
from conformance.server import Server, create_user, running
from conformance.workers import workers

ACLS = {"ObjectOwnership": "ObjectWriter"}


@pytest.fixture(scope="module")
def logging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("logging") / "data"
    with running(folder, "--workers", "1", "--access-log-delivery", str(SECONDS)) as server:
        create_user(server.data, "alice", ALICE, id=ALICE_ID)
        yield server


@pytest.fixture
def s3(logging: Server) -> Any:
    return logging.client()


@pytest.fixture
def raw(logging: Server) -> Raw:
    return Raw(logging)


@pytest.fixture
def target(s3: Any, new_name: Callable[[str], str]) -> str:
    name = new_name("logs")
    s3.create_bucket(Bucket=name)
    let_write(s3, name)
    return name


@pytest.fixture
def source(s3: Any, target: str, new_name: Callable[[str], str]) -> str:
    name = new_name("source")
    s3.create_bucket(Bucket=name)
    log_to(s3, name, target)
    return name


def logged(s3: Any) -> tuple[str, str]:
    """Of a server that has no other buckets."""
    source, target = "source", "logs"
    s3.create_bucket(Bucket=source)
    s3.create_bucket(Bucket=target)
    let_write(s3, target)
    log_to(s3, source, target)
    return source, target


def of(operation: str) -> Callable[[Line], bool]:
    return lambda line: line["operation"] == operation


# What a line says


def test_a_request_is_a_line_of_its_fields(logging: Server, s3: Any, source: str, target: str) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    answer = s3.put_object(Bucket=source, Key="2026/dog.jpg", Body=b"12345")["ResponseMetadata"]
    (line,) = delivered(s3, target)
    root = s3.list_buckets()["Owner"]["ID"]
    assert line | {"total": "", "turn_around": "", "agent": "", "time": ""} == {
        "owner": root,
        "bucket": source,
        "time": "",
        "ip": "127.0.0.1",
        "requester": root,
        "request_id": answer["RequestId"],
        "operation": "REST.PUT.OBJECT",
        "key": "2026/dog.jpg",
        "uri": f'"PUT /{source}/2026/dog.jpg HTTP/1.1"',
        "status": "200",
        "error": "-",
        "sent": "-",
        "size": "5",
        "total": "",
        "turn_around": "",
        "referer": '"-"',
        "agent": "",
        "version": "-",
        "host_id": answer["HostId"],
        "signature": "SigV4",
        "cipher": "-",
        "authentication": "AuthHeader",
        "host": f"{logging.host}:{logging.port}",
        "tls": "-",
        "access_point": "-",
        "acl_required": "-",
    }
    assert "Boto3" in line["agent"]
    assert int(line["turn_around"]) <= int(line["total"])
    came = datetime.strptime(line["time"], "%d/%b/%Y:%H:%M:%S %z")
    assert before <= came <= datetime.now(UTC)


def test_reading_tells_what_was_sent_and_what_the_object_has(s3: Any, source: str, target: str) -> None:
    s3.put_object(Bucket=source, Key="key", Body=b"x" * 100_000)
    s3.get_object(Bucket=source, Key="key", Range="bytes=10-19")["Body"].read()
    s3.head_object(Bucket=source, Key="key")
    with pytest.raises(ClientError):
        s3.get_object(Bucket=source, Key="absent")
    put, part, head, absent = delivered(s3, target, 4)
    assert (put["size"], put["sent"]) == ("100000", "-")
    assert (part["status"], part["sent"], part["size"]) == ("206", "10", "100000")
    assert (head["operation"], head["sent"], head["size"]) == ("REST.HEAD.OBJECT", "-", "100000")
    assert (absent["status"], absent["error"], absent["size"]) == ("404", "NoSuchKey", "-")
    assert int(absent["sent"]) > 100


@pytest.mark.parametrize("key", ["ä ö/ü", 'say "hi"', "a%20b", "tab\tand\nline", "plus+ and = [x]", "日本/語"])
def test_a_key_is_encoded_twice(s3: Any, source: str, target: str, key: str) -> None:
    s3.put_object(Bucket=source, Key=key, Body=b"1")
    (line,) = delivered(s3, target)
    assert unquote(unquote(line["key"])) == key
    once = line["uri"].split(" ")[1].removeprefix(f"/{source}/")
    assert unquote(once) == key


def test_what_a_client_says_of_itself_ends_no_field(raw: Raw, s3: Any, source: str, target: str) -> None:
    said = {"user-agent": 'a "quoted" one\t(é) \\', "referer": 'http://x/?q="1"', "host": raw.host}
    raw.send(raw.prepare("GET", f"/{source}", {"x-who": 'me "too"', "list-type": "2"}, said))
    (line,) = delivered(s3, target)
    assert line["agent"] == '"a %22quoted%22 one%09(%C3%A9) \\"'
    assert line["referer"] == '"http://x/?q=%221%22"'
    assert "x-who=me%20%22too%22" in line["uri"]
    assert line["operation"] == "REST.GET.BUCKET"


def test_who_asked_and_how(raw: Raw, logging: Server, s3: Any, source: str, target: str) -> None:
    s3.put_object(Bucket=source, Key="key", Body=b"1")
    at = {"Bucket": source, "Key": "key"}
    with urlopen(logging.client(signature_version="s3").generate_presigned_url("get_object", at)):
        pass
    raw.send(raw.presign("GET", f"/{source}/key"))
    raw.send(raw.plain("GET", f"/{source}/key"))
    with pytest.raises(ClientError):
        logging.client(ALICE).get_object(Bucket=source, Key="key")
    _, old, new, anonymous, alice = delivered(s3, target, 5)
    assert (old["signature"], old["authentication"]) == ("SigV2", "QueryString")
    assert (new["signature"], new["authentication"]) == ("SigV4", "QueryString")
    assert "X-Amz-Signature=" in new["uri"]
    assert (anonymous["signature"], anonymous["authentication"], anonymous["requester"]) == ("-", "-", "-")
    assert (anonymous["status"], anonymous["error"]) == ("403", "AccessDenied")
    assert (alice["requester"], alice["error"], alice["owner"] != ALICE_ID) == (ALICE_ID, "AccessDenied", True)


def test_deleting_many_leaves_a_line_for_each(s3: Any, source: str, target: str) -> None:
    named = {"Objects": [{"Key": "a"}, {"Key": "b c", "VersionId": "null"}], "Quiet": True}
    answer = s3.delete_objects(Bucket=source, Delete=named)["ResponseMetadata"]
    whole, first, second = delivered(s3, target, 3)
    assert (whole["operation"], whole["key"]) == ("REST.POST.MULTI_OBJECT_DELETE", "-")
    assert {line["request_id"] for line in (whole, first, second)} == {answer["RequestId"]}
    for line, key, version in ((first, "a", "-"), (second, "b%2520c", "null")):
        assert (line["operation"], line["key"], line["version"]) == ("BATCH.DELETE.OBJECT", key, version)
        assert (line["uri"], line["status"], line["error"]) == ("-", "204", "-")


def test_of_many_that_cannot_be_deleted_is_said_why(s3: Any, target: str, new_name: Callable[[str], str]) -> None:
    bucket = new_name("locked")
    s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    held = s3.put_object(Bucket=bucket, Key="k", ObjectLockLegalHoldStatus="ON", ChecksumAlgorithm="CRC32")
    log_to(s3, bucket, target)
    s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "k", "VersionId": held["VersionId"]}, {"Key": "o"}]})
    _, kept, gone = delivered(s3, target, 3)
    assert (kept["key"], kept["status"], kept["error"]) == ("k", "403", "AccessDenied")
    assert (gone["key"], gone["status"], gone["error"]) == ("o", "204", "-")


def test_a_copy_is_two_lines(s3: Any, source: str, target: str, new_name: Callable[[str], str]) -> None:
    other = new_name("other")
    s3.create_bucket(Bucket=other)
    s3.put_object(Bucket=source, Key="from here", Body=b"12345")
    s3.copy_object(Bucket=source, Key="to", CopySource={"Bucket": source, "Key": "from here"})
    s3.copy_object(Bucket=other, Key="away", CopySource={"Bucket": source, "Key": "from here"})
    with pytest.raises(ClientError):
        s3.copy_object(Bucket=other, Key="away", CopySource={"Bucket": source, "Key": "absent"})
    _, put, read, away, absent = delivered(s3, target, 5)
    assert (put["operation"], put["key"], put["size"]) == ("REST.COPY.OBJECT", "to", "5")
    assert (read["operation"], read["key"], read["size"]) == ("REST.COPY.OBJECT_GET", "from%2520here", "5")
    assert (put["request_id"], put["uri"]) == (read["request_id"], read["uri"])
    assert (away["operation"], away["bucket"], away["key"]) == ("REST.COPY.OBJECT_GET", source, "from%2520here")
    assert (absent["status"], absent["error"], absent["key"]) == ("404", "NoSuchKey", "absent")


def test_the_steps_of_an_upload(s3: Any, source: str, target: str) -> None:
    upload = s3.create_multipart_upload(Bucket=source, Key="big")["UploadId"]
    at = {"Bucket": source, "Key": "big", "UploadId": upload}
    etag = s3.upload_part(**at, PartNumber=1, Body=b"1234")["ETag"]
    s3.list_parts(**at)
    s3.complete_multipart_upload(**at, MultipartUpload={"Parts": [{"ETag": etag, "PartNumber": 1}]})
    s3.list_multipart_uploads(Bucket=source)
    with pytest.raises(ClientError):
        s3.abort_multipart_upload(**at)
    found = [(line["operation"], line["key"], line["size"]) for line in delivered(s3, target, 6)]
    assert found == [
        ("REST.POST.UPLOADS", "big", "-"),
        ("REST.PUT.PART", "big", "4"),
        ("REST.GET.UPLOAD", "big", "-"),
        ("REST.POST.UPLOAD", "big", "4"),
        ("REST.GET.UPLOADS", "-", "-"),
        ("REST.DELETE.UPLOAD", "big", "-"),
    ]


def test_a_version_that_is_named(s3: Any, source: str, target: str) -> None:
    s3.put_bucket_versioning(Bucket=source, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=source, Key="k", Body=b"12")["VersionId"]
    s3.delete_object(Bucket=source, Key="k")
    s3.get_object(Bucket=source, Key="k", VersionId=version)["Body"].read()
    versioning, put, deleted, got = delivered(s3, target, 4)
    assert versioning["operation"] == "REST.PUT.VERSIONING"
    assert (put["version"], put["size"]) == ("-", "2")
    assert (deleted["operation"], deleted["status"]) == ("REST.DELETE.OBJECT", "204")
    assert (got["version"], got["size"]) == (version, "2")


def test_whether_it_took_an_acl(logging: Server, s3: Any, target: str, new_name: Callable[[str], str]) -> None:
    bucket = new_name("acls")
    s3.create_bucket(Bucket=bucket, **ACLS)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": False})
    s3.put_object(Bucket=bucket, Key="k", Body=b"1", GrantRead=f"id={ALICE_ID}")
    log_to(s3, bucket, target)
    alice = logging.client(ALICE)
    s3.get_object(Bucket=bucket, Key="k")["Body"].read()
    alice.get_object(Bucket=bucket, Key="k")["Body"].read()
    with pytest.raises(ClientError):
        alice.list_objects_v2(Bucket=bucket)
    assert [line["acl_required"] for line in delivered(s3, target, 3)] == ["-", "Yes", "-"]


def test_a_preflight_and_what_is_no_operation(raw: Raw, s3: Any, source: str, target: str) -> None:
    asked = {"Origin": "http://a", "Access-Control-Request-Method": "GET"}
    raw.send(raw.plain("OPTIONS", f"/{source}/key", asked))
    raw.send(raw.plain("PATCH", f"/{source}/key"))
    preflight, patched = delivered(s3, target, 2)
    assert (preflight["operation"], preflight["status"]) == ("REST.OPTIONS.PREFLIGHT", "403")
    assert (patched["operation"], patched["status"]) == ("REST.PATCH.OBJECT", "405")


# How lines are delivered


def test_each_bucket_has_its_own_objects(s3: Any, target: str, new_name: Callable[[str], str]) -> None:
    for name in ("one", "two"):
        bucket = new_name(name)
        s3.create_bucket(Bucket=bucket)
        log_to(s3, bucket, target, f"{name}/")
        s3.head_bucket(Bucket=bucket)
    for name in ("one", "two"):
        (line,) = delivered(s3, target, prefix=f"{name}/")
        assert line["bucket"].startswith(name)
        (key,) = log_objects(s3, target, f"{name}/")
        assert re.fullmatch(rf"{name}/\d{{4}}(-\d\d){{5}}-[0-9A-F]{{16}}", key)


@pytest.mark.parametrize("date", ["EventTime", "DeliveryTime", None])
def test_keys_in_folders_of_days(s3: Any, target: str, new_name: Callable[[str], str], date: str | None) -> None:
    bucket, before = new_name("parted"), datetime.now(UTC).replace(microsecond=0)
    s3.create_bucket(Bucket=bucket)
    parted = {} if date is None else {"PartitionDateSource": date}
    log_to(s3, bucket, target, "p/", TargetObjectKeyFormat={"PartitionedPrefix": parted})
    s3.head_bucket(Bucket=bucket)
    delivered(s3, target)
    (key,) = log_objects(s3, target)
    owner = s3.list_buckets()["Owner"]["ID"]
    match = re.fullmatch(
        rf"p/{owner}/us-east-1/{bucket}/(\d{{4}}/\d\d/\d\d)/(\d{{4}}(?:-\d\d){{5}})-[0-9A-F]{{16}}", key
    )
    assert match is not None, key
    stamp = datetime.strptime(match[2], "%Y-%m-%d-%H-%M-%S").replace(tzinfo=UTC)
    assert match[1] == stamp.strftime("%Y/%m/%d")
    if date == "DeliveryTime":
        assert before <= stamp <= datetime.now(UTC)
    else:
        assert stamp in (before.replace(hour=0, minute=0, second=0), stamp.replace(hour=0, minute=0, second=0))


def test_what_is_delivered_is_text_of_the_targets_owner(s3: Any, source: str, target: str) -> None:
    s3.put_bucket_encryption(
        Bucket=target,
        ServerSideEncryptionConfiguration={
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
        },
    )
    s3.head_bucket(Bucket=source)
    delivered(s3, target)
    (key,) = log_objects(s3, target)
    head = s3.head_object(Bucket=target, Key=key)
    assert (head["ContentType"], head["ServerSideEncryption"]) == ("text/plain", "AES256")


def test_where_acls_are_on_the_service_owns_its_logs(s3: Any, new_name: Callable[[str], str]) -> None:
    bucket, target = new_name("granted"), new_name("with-acls")
    s3.create_bucket(Bucket=bucket)
    s3.create_bucket(Bucket=target, **ACLS, ACL="log-delivery-write")
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": ALICE_ID}, "Permission": "READ"}
    log_to(s3, bucket, target, TargetGrants=[grant])
    s3.head_bucket(Bucket=bucket)
    delivered(s3, target)
    (key,) = log_objects(s3, target)
    acl, root = s3.get_object_acl(Bucket=target, Key=key), s3.list_buckets()["Owner"]["ID"]
    assert acl["Owner"]["ID"] not in (root, ALICE_ID)
    given = {(each["Grantee"]["ID"], each["Permission"]) for each in acl["Grants"]}
    assert given == {(acl["Owner"]["ID"], "FULL_CONTROL"), (root, "FULL_CONTROL"), (ALICE_ID, "READ")}


def test_lines_wait_for_leave_to_be_written(s3: Any, source: str, target: str) -> None:
    s3.delete_bucket_policy(Bucket=target)
    s3.head_bucket(Bucket=source)
    time.sleep(4 * SECONDS)
    assert read_lines(s3, target) == []
    let_write(s3, target, Condition={"ArnLike": {"aws:SourceArn": f"arn:aws:s3:::{source}"}})
    delivered(s3, target)


@pytest.mark.parametrize(
    "refusing",
    [
        {"resource": "elsewhere/*"},
        {"Principal": {"Service": "delivery.logs.amazonaws.com"}},
        {"Condition": {"StringEquals": {"aws:SourceAccount": "111111111111"}}},
        {"Condition": {"ArnLike": {"aws:SourceArn": "arn:aws:s3:::another"}}},
        {"Effect": "Deny"},
    ],
)
def test_a_target_that_does_not_let_them_in_gets_none(
    s3: Any, source: str, target: str, refusing: dict[str, Any], new_name: Callable[[str], str]
) -> None:
    """Another that does says when the delivery was."""
    witness, seen = new_name("witness"), new_name("seen")
    s3.create_bucket(Bucket=witness)
    s3.create_bucket(Bucket=seen)
    let_write(s3, seen)
    log_to(s3, witness, seen)
    let_write(s3, target, **refusing)
    s3.head_bucket(Bucket=source)
    s3.head_bucket(Bucket=witness)
    delivered(s3, seen)
    assert read_lines(s3, target) == []


def test_turned_off_it_notes_no_more(s3: Any, source: str, target: str) -> None:
    s3.head_bucket(Bucket=source)
    s3.put_bucket_logging(Bucket=source, BucketLoggingStatus={})
    s3.head_bucket(Bucket=source)
    found = delivered(s3, target, 2)
    assert [line["operation"] for line in found] == ["REST.HEAD.BUCKET", "REST.PUT.LOGGING_STATUS"]
    time.sleep(2 * SECONDS)
    assert len(read_lines(s3, target)) == 2


def test_what_a_bucket_was_asked_last_is_told_when_it_is_gone(s3: Any, source: str, target: str) -> None:
    s3.delete_bucket(Bucket=source)
    (line,) = delivered(s3, target)
    assert (line["operation"], line["status"]) == ("REST.DELETE.BUCKET", "204")


def test_logs_of_a_bucket_in_itself_do_not_breed(s3: Any, new_name: Callable[[str], str]) -> None:
    bucket = new_name("own")
    s3.create_bucket(Bucket=bucket)
    let_write(s3, bucket)
    log_to(s3, bucket, bucket, "logs/")
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    delivered(s3, bucket, 1, "logs/", of("REST.PUT.OBJECT"))
    time.sleep(2 * SECONDS)
    assert len([line for line in read_lines(s3, bucket, "logs/") if line["operation"] == "REST.PUT.OBJECT"]) == 1


def test_every_request_of_many_is_a_line_once(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2", "--access-log-delivery", str(SECONDS)) as server:
        s3 = server.client()
        source, target = logged(s3)
        puts = [server.client().put_object(Bucket=source, Key=f"{n}", Body=b"1") for n in range(20)]
        puts += [s3.put_object(Bucket=source, Key=f"{n}", Body=b"1") for n in range(600)]
        ids = [put["ResponseMetadata"]["RequestId"] for put in puts]
        assert sorted(line["request_id"] for line in delivered(s3, target, len(ids))) == sorted(ids)


def test_lines_outlive_a_stop_and_no_record_for_sql_is_needed(tmp_path: Path) -> None:
    options = ("--workers", "2", "--access-log-days", "0")
    with running(tmp_path / "data", *options) as server:
        s3 = server.client()
        logged(s3)
        for _ in range(20):
            s3.head_bucket(Bucket="source")
    with running(tmp_path / "data", *options, "--access-log-delivery", str(SECONDS)) as server:
        delivered(server.client(), "logs", 20)
    assert [path.name for path in (tmp_path / "data" / "requests").iterdir()] == ["logged"]
    assert list((tmp_path / "data" / "requests" / "logged").glob("*.log")) == []


def test_a_killed_worker_loses_what_it_had_in_memory_at_most(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1", "--access-log-delivery", str(SECONDS)) as server:
        s3 = server.client()
        logged(s3)
        s3.head_bucket(Bucket="source")
        time.sleep(1)
        (worker,) = workers(server)
        os.kill(worker, signal.SIGKILL)
        while workers(server) in (set(), {worker}):
            time.sleep(0.05)
        server.client().head_bucket(Bucket="source")
        delivered(server.client(), "logs", 2)


def test_what_lifecycle_rules_remove_is_told(tmp_path: Path) -> None:
    options = ("--workers", "1", "--access-log-delivery", str(SECONDS), "--lifecycle-day", "2")
    with running(tmp_path / "data", *options) as server:
        s3 = server.client()
        source, target = logged(s3)
        s3.put_object(Bucket=source, Key="old", Body=b"12345")
        rule = {"Filter": {}, "Status": "Enabled", "Expiration": {"Days": 1}}
        s3.put_bucket_lifecycle_configuration(Bucket=source, LifecycleConfiguration={"Rules": [rule]})
        (line,) = delivered(s3, target, where=of("S3.EXPIRE.OBJECT"))
        assert (line["key"], line["size"], line["requester"]) == ("old", "5", "ducket:lifecycle")
        assert (line["status"], line["uri"], line["host_id"]) == ("-", "-", "-")
