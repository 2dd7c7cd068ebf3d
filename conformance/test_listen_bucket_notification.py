"""MinIO's operation, asked for by its own client."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
import requests
import urllib3
from minio import Minio, S3Error

from conformance.conftest import ALICE
from conformance.policies import put_policy, statement
from conformance.server import Keys, Server, running
from conformance.workers import until, workers

BOTH = ("s3:ObjectCreated:*", "s3:ObjectRemoved:*", "s3:ObjectAccessed:*")


class Listener:
    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.blanks = 0

    def line(self) -> str:
        """The next one, "" at the end; blanks are counted."""
        whole = self.answer.readline().decode()
        self.blanks += len(whole) - len(whole.lstrip(" "))
        return str(whole.strip())

    def record(self) -> dict[str, Any]:
        (record,) = json.loads(self.line())["Records"]
        return dict(record)

    def event(self) -> tuple[str, str]:
        record = self.record()
        return record["eventName"], unquote_plus(record["s3"]["object"]["key"])


def client(server: Server, keys: Keys | None = None) -> Minio:
    keys, pool = keys or server.keys, urllib3.PoolManager(retries=False)
    at, region = server.url.partition("//")[2], "us-east-1"
    return Minio(at, keys.access, keys.secret, secure=False, region=region, http_client=pool)


@contextmanager
def listening(server: Server, bucket: str, keys: Keys | None = None, **query: Any) -> Iterator[Listener]:
    """Once the head of the answer is there, everything that follows is told."""
    given = {"events": BOTH, "prefix": "", "suffix": ""} | query
    answer = client(server, keys)._execute("GET", bucket, query_params=given, preload_content=False)
    try:
        assert answer.headers["content-type"] == "text/event-stream"
        yield Listener(answer)
    finally:
        answer.close()


def test_what_happens_while_somebody_listens(s3: Any, server: Server, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="before")
    with listening(server, bucket) as listener:
        etag = s3.put_object(Bucket=bucket, Key="a key/ü", Body=b"hello")["ETag"].strip('"')
        record = listener.record()
        s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/before")
        s3.put_object_tagging(Bucket=bucket, Key="copy", Tagging={"TagSet": []})
        s3.delete_object(Bucket=bucket, Key="copy")
        assert [listener.event() for _ in range(2)] == [
            ("s3:ObjectCreated:Copy", "copy"),
            ("s3:ObjectRemoved:Delete", "copy"),
        ]
    assert (record["eventSource"], record["eventName"]) == ("minio:s3", "s3:ObjectCreated:Put")
    assert record["source"]["host"] == "127.0.0.1"
    assert record["s3"]["bucket"]["name"] == bucket
    sequencer = record["s3"]["object"]["sequencer"]
    assert record["s3"]["object"] == {"key": "a+key/%C3%BC", "size": 5, "eTag": etag, "sequencer": sequencer}


def test_by_minio_s_own_iterator(s3: Any, server: Server, bucket: str) -> None:
    with listening(server, bucket) as first, client(server).listen_bucket_notification(bucket, prefix="a") as events:
        events._response = events._func()  # as its first step does
        s3.put_object(Bucket=bucket, Key="b")
        s3.put_object(Bucket=bucket, Key="a")
        assert next(events)["Records"][0]["s3"]["object"]["key"] == "a"
        assert [first.event()[1] for _ in range(2)] == ["b", "a"]


def test_only_what_is_asked_for(s3: Any, server: Server, bucket: str, versioned: str) -> None:
    asked = {"events": ("s3:ObjectRemoved:DeleteMarkerCreated",), "prefix": "in/", "suffix": ".jpg"}
    with listening(server, versioned, **asked) as listener:
        s3.put_object(Bucket=bucket, Key="in/a.jpg")
        for key in ("in/a.jpg", "out/a.jpg", "in/a.png", "in/b.jpg"):
            s3.put_object(Bucket=versioned, Key=key)
            s3.delete_object(Bucket=versioned, Key=key)
        found = [listener.event() for _ in range(2)]
    assert found == [("s3:ObjectRemoved:DeleteMarkerCreated", key) for key in ("in/a.jpg", "in/b.jpg")]


def test_signs_of_life(s3: Any, server: Server, bucket: str) -> None:
    with listening(server, bucket, ping="1") as listener:
        assert listener.line() == listener.line() == '{"Records":[]}'
    with listening(server, bucket) as listener:
        until(lambda: listener.answer.read(1) == b" " and listener.answer.read(1) == b" ")
        s3.put_object(Bucket=bucket, Key="key")
        assert listener.event() == ("s3:ObjectCreated:Put", "key")


@pytest.mark.parametrize("events", [("bad",), ("s3:ObjectCreated:*", "s3:TestEvent"), ("ObjectCreated:Put",)])
def test_events_that_nobody_knows(server: Server, bucket: str, events: tuple[str, ...]) -> None:
    with pytest.raises(S3Error) as refused, listening(server, bucket, events=events):
        pass
    assert (refused.value.code, refused.value.message) == (
        "InvalidArgument",
        "A specified event is not supported for notifications.",
    )


def test_who_may(s3: Any, server: Server, alice: Any, bucket: str) -> None:
    with pytest.raises(S3Error, match="AccessDenied"), listening(server, bucket, ALICE):
        pass
    with pytest.raises(S3Error, match="NoSuchBucket"), listening(server, "there-is-no-such-bucket"):
        pass
    assert requests.get(f"{server.url}/{bucket}?events=s3:ObjectCreated:*").status_code == 403
    put_policy(s3, bucket, statement(bucket, "s3:ListenBucketNotification", ""))
    with listening(server, bucket, ALICE) as listener:
        s3.put_object(Bucket=bucket, Key="key")
        assert listener.event() == ("s3:ObjectCreated:Put", "key")


def test_so_many_and_no_more(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        server.client().create_bucket(Bucket="bucket")
        listeners = [listening(server, "bucket") for _ in range(32)]
        for each in listeners:
            each.__enter__()
        with pytest.raises(S3Error, match="SlowDown"), listening(server, "bucket"):
            pass
        listeners.pop().__exit__(None, None, None)

        def again() -> bool:
            try:
                with listening(server, "bucket"):
                    return True
            except S3Error:
                return False

        until(again)
        for each in listeners:
            each.__exit__(None, None, None)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_worker_that_goes_ends_it(tmp_path: Path, number: int) -> None:
    """Whole: the client can tell, and asks again."""
    with running(tmp_path / "data", "--workers", "1", "--drain-timeout", "3600") as server:
        s3 = server.client()
        s3.create_bucket(Bucket="bucket")
        before = workers(server)
        with listening(server, "bucket") as listener:
            s3.put_object(Bucket="bucket", Key="key")
            assert listener.event() == ("s3:ObjectCreated:Put", "key")
            server.process.send_signal(number)
            assert listener.line() == ""
            until(lambda: not before & workers(server))
