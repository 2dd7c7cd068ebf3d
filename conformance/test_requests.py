"""The requests that were served, in SQL: real servers, boto3 and raw requests."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as parquet
import pytest
from botocore.exceptions import ClientError

from conformance.conftest import ALICE, ALICE_ID
from conformance.raw import Raw
from conformance.server import Keys, Server, run_command, running
from conformance.test_sql import ask, rows
from conformance.workers import workers


def served(server: Server, condition: str, count: int = 1, keys: Keys | None = None) -> list[dict[str, Any]]:
    """The requests of a condition, oldest first, once there are so many: they are written a moment after the answer."""
    while True:
        found = rows(ask(server, f"FROM requests WHERE {condition} ORDER BY time", keys=keys))
        if len(found) >= count:
            return found
        time.sleep(0.05)


def test_what_was_requested_is_there(server: Server, s3: Any, versioned: str) -> None:
    before = datetime.now(UTC)
    put = s3.put_object(Bucket=versioned, Key="a/ä\n'x", Body=b"12345")
    got = s3.get_object(Bucket=versioned, Key="a/ä\n'x", VersionId=put["VersionId"])
    got["Body"].read()
    writing, reading = served(server, f"bucket = '{versioned}' AND key = 'a/ä\n''x'", 2)
    assert (writing["operation"], writing["http_status"], writing["version_id"]) == ("PutObject", 200, None)
    assert (writing["bytes_sent"], writing["bytes_received"] >= 5) == (0, True)
    assert reading["request_id"] == got["ResponseMetadata"]["RequestId"]
    expected = {
        "operation": "GetObject",
        "version_id": put["VersionId"],
        "http_status": 200,
        "error_code": None,
        "bytes_sent": 5,
        "bytes_received": 0,
        "remote_ip": "127.0.0.1",
        "referer": None,
    }
    assert expected.items() <= reading.items()
    assert "Boto3" in reading["user_agent"]
    assert 0 < reading["turn_around_time"] <= reading["total_time"]
    came = datetime.fromisoformat(reading["time"]).replace(tzinfo=UTC)
    assert before - timedelta(seconds=1) < came <= datetime.now(UTC)
    assert reading["day"] == reading["time"][:10]


def test_who_is_named_as_the_journal_names_them(server: Server, s3: Any, bucket: str) -> None:
    answer = s3.put_object(Bucket=bucket, Key="gone", Body=b"1")
    s3.delete_object(Bucket=bucket, Key="gone")
    served(server, f"bucket = '{bucket}' AND key = 'gone'", 2)
    statement = f"""
        SELECT r.operation, r.requester = j.requester AS same, r.remote_ip = j.source_ip_address AS here
        FROM journal AS j JOIN requests AS r USING (request_id) WHERE j.bucket = '{bucket}' AND j.key = 'gone'
        ORDER BY j.seq"""
    assert rows(ask(server, statement)) == [
        {"operation": "PutObject", "same": True, "here": True},
        {"operation": "DeleteObject", "same": True, "here": True},
    ]
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_a_refused_request_is_one_too(server: Server, raw: Raw, s3: Any, bucket: str) -> None:
    with pytest.raises(ClientError):
        s3.get_object(Bucket=bucket, Key="absent")
    raw.send(raw.plain("GET", f"/{bucket}/secret"))
    absent, anonymous = served(server, f"bucket = '{bucket}' AND operation = 'GetObject'", 2)
    assert (absent["http_status"], absent["error_code"]) == (404, "NoSuchKey")
    assert (anonymous["http_status"], anonymous["error_code"], anonymous["requester"]) == (403, "AccessDenied", None)
    assert anonymous["bytes_sent"] > 0


def test_of_a_request_that_is_none_of_s3s_there_is_what_is_known(server: Server, raw: Raw) -> None:
    answer = raw.send(raw.plain("GET", "/b%zz/key", {"user-agent": "broken"}))
    (row,) = served(server, "user_agent = 'broken'")
    assert (row["http_status"], row["bucket"], row["operation"]) == (answer.status, None, None)


def test_a_user_sees_what_came_for_its_buckets_only(
    server: Server, s3: Any, alice: Any, new_name: Callable[[str], str]
) -> None:
    hers, theirs = new_name("hers"), new_name("theirs")
    alice.create_bucket(Bucket=hers)
    s3.create_bucket(Bucket=theirs)
    s3.put_object(Bucket=theirs, Key="private", Body=b"1")
    s3.head_bucket(Bucket=hers)
    with pytest.raises(ClientError):
        alice.get_object(Bucket=theirs, Key="private")
    served(server, f"bucket IN ('{hers}', '{theirs}')", 5)
    seen = served(server, f"bucket IN ('{hers}', '{theirs}')", 2, keys=ALICE)
    assert [(row["operation"], row["requester"] == ALICE_ID) for row in seen] == [
        ("CreateBucket", True),
        ("HeadBucket", False),
    ]
    assert rows(ask(server, f"SELECT * FROM requests WHERE bucket = '{theirs}'", keys=ALICE)) == []
    denied = served(server, f"bucket = '{theirs}' AND error_code = 'AccessDenied'")
    assert [row["requester"] for row in denied] == [ALICE_ID]


def test_a_name_that_was_anothers_shows_nothing_of_then(
    server: Server, s3: Any, alice: Any, new_name: Callable[[str], str]
) -> None:
    name = new_name("passed-on")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="secret", Body=b"1")
    s3.delete_object(Bucket=name, Key="secret")
    s3.delete_bucket(Bucket=name)
    alice.create_bucket(Bucket=name)
    served(server, f"bucket = '{name}'", 5)
    assert [row["operation"] for row in served(server, f"bucket = '{name}'", keys=ALICE)] == ["CreateBucket"]


@pytest.mark.parametrize(
    "hostile",
    ["'; DROP TABLE objects; --", "é\xff ü", '"}\t{"x":', "${jndi:ldap://x}", "x" * 40_000],
    ids=["sql", "latin", "json", "lookup", "long"],
)
def test_what_a_client_says_of_itself_is_a_text(server: Server, raw: Raw, hostile: str, bucket: str) -> None:
    key = "h" * 1000
    raw.send(raw.plain("GET", f"/{bucket}/{key}", {"user-agent": hostile, "referer": hostile}))
    (row,) = served(server, f"bucket = '{bucket}' AND key = '{key}'")
    assert (row["user_agent"], row["referer"]) == (hostile[:256], hostile[:256])


def test_records_outlive_the_server_and_can_be_asked_for_without_one(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "2") as server:
        s3 = server.client()
        s3.create_bucket(Bucket="kept")
        for n in range(20):
            s3.put_object(Bucket="kept", Key=f"{n}", Body=b"1")
    asked = ("sql", "SELECT count(*) AS n FROM requests WHERE bucket = 'kept'", "--format", "csv")
    for _ in range(2):
        assert run_command(*asked, "--data", str(server.data)).split() == ['"n"', "21"]
    day = datetime.now(UTC).date()
    files = list((server.data / "requests").glob("day=*/*.parquet"))
    assert {file.parent.name for file in files} <= {f"day={day}", f"day={day - timedelta(days=1)}"}
    assert sum(parquet.read_metadata(file).num_rows for file in files) == 21
    assert list((server.data / "requests" / "incoming").iterdir()) == []


def test_a_killed_worker_loses_what_it_had_in_memory_at_most(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        server.client().create_bucket(Bucket="before")
        served(server, "bucket = 'before'")
        (worker,) = workers(server)
        s3 = server.client()
        for n in range(50):
            s3.put_object(Bucket="before", Key=f"{n}", Body=b"1")
        time.sleep(1)
        os.kill(worker, signal.SIGKILL)
        while workers(server) in (set(), {worker}):
            time.sleep(0.05)
        server.client().create_bucket(Bucket="after")
        served(server, "bucket = 'after'")
        assert len(served(server, "bucket = 'before'")) == 51


def test_none_is_recorded_where_none_shall_be(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1", "--access-log-days", "0") as server:
        server.client().create_bucket(Bucket="quiet")
        time.sleep(1)
        assert rows(ask(server, "FROM requests")) == []
    assert not (server.data / "requests").exists()


def test_days_that_are_over_go(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        server.client().create_bucket(Bucket="old")
        served(server, "bucket = 'old'")
    (file,) = (server.data / "requests").glob("day=*/*.parquet")
    today = date.fromisoformat(file.parent.name.removeprefix("day="))
    for days in (6, 7):
        folder = file.parent.with_name(f"day={today - timedelta(days=days)}")
        folder.mkdir()
        (folder / file.name).write_bytes(file.read_bytes())
    with running(tmp_path / "data", "--workers", "1", "--access-log-days", "7") as server:
        while folder.exists():
            time.sleep(0.05)
        days_left = rows(ask(server, "SELECT day FROM requests WHERE bucket = 'old' ORDER BY day"))
        assert [row["day"] for row in days_left] == [f"{today - timedelta(days=6)}", f"{today}"]
