"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conformance.content import MIB, etag, noise
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.server import Server

OTHER = etag(b"something else")


def body_of(s3: Any, bucket: str) -> bytes:
    found = s3.get_object(Bucket=bucket, Key="key")["Body"].read()
    assert isinstance(found, bytes)
    return found


def test_if_none_match_writes_where_nothing_is(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"new", IfNoneMatch="*")
    assert body_of(s3, bucket) == b"new"


def test_if_none_match_keeps_what_is_there(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"old")
    with refused("PreconditionFailed", 412) as error:
        s3.put_object(Bucket=bucket, Key="key", Body=b"new", IfNoneMatch="*")
    assert error["Condition"] == "If-None-Match"
    assert body_of(s3, bucket) == b"old"


def test_if_none_match_writes_over_a_delete_marker(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key", Body=b"old")
    s3.delete_object(Bucket=versioned, Key="key")
    s3.put_object(Bucket=versioned, Key="key", Body=b"new", IfNoneMatch="*")
    assert body_of(s3, versioned) == b"new"


def test_if_none_match_writes_after_a_delete(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"old")
    s3.delete_object(Bucket=bucket, Key="key")
    s3.put_object(Bucket=bucket, Key="key", Body=b"new", IfNoneMatch="*")


def test_if_none_match_with_an_etag_keeps_that_very_object(s3: Any, bucket: str) -> None:
    # AWS takes the star only, and answers anything else NotImplemented; here both conditions take both.
    old = s3.put_object(Bucket=bucket, Key="key", Body=b"old", IfNoneMatch=OTHER)["ETag"]
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=bucket, Key="key", Body=b"new", IfNoneMatch=old)
    s3.put_object(Bucket=bucket, Key="key", Body=b"new", IfNoneMatch=OTHER)
    assert body_of(s3, bucket) == b"new"


def test_if_match_with_the_star_writes_over_whatever_is_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.put_object(Bucket=bucket, Key="key", Body=b"new", IfMatch="*")
    s3.put_object(Bucket=bucket, Key="key", Body=b"old")
    s3.put_object(Bucket=bucket, Key="key", Body=b"new", IfMatch="*")
    assert body_of(s3, bucket) == b"new"


def test_if_match_writes_over_that_very_object(s3: Any, bucket: str) -> None:
    old = s3.put_object(Bucket=bucket, Key="key", Body=b"old")["ETag"]
    s3.put_object(Bucket=bucket, Key="key", Body=b"new", IfMatch=old)
    assert body_of(s3, bucket) == b"new"


def test_if_match_without_quotes_is_the_same(s3: Any, bucket: str) -> None:
    old = s3.put_object(Bucket=bucket, Key="key", Body=b"old")["ETag"]
    s3.put_object(Bucket=bucket, Key="key", Body=b"new", IfMatch=old.strip('"'))
    assert body_of(s3, bucket) == b"new"


def test_if_match_keeps_another_object(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"old")
    with refused("PreconditionFailed", 412) as error:
        s3.put_object(Bucket=bucket, Key="key", Body=b"new", IfMatch=OTHER)
    assert error["Condition"] == "If-Match"
    assert body_of(s3, bucket) == b"old"


def test_if_match_with_nothing_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.put_object(Bucket=bucket, Key="key", IfMatch=OTHER)


def test_if_match_with_a_delete_marker_on_top(s3: Any, versioned: str) -> None:
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["ETag"]
    s3.delete_object(Bucket=versioned, Key="key")
    with refused("NoSuchKey", 404):
        s3.put_object(Bucket=versioned, Key="key", IfMatch=old)


def test_if_match_looks_at_the_current_version(s3: Any, versioned: str) -> None:
    first = s3.put_object(Bucket=versioned, Key="key", Body=b"first")["ETag"]
    s3.put_object(Bucket=versioned, Key="key", Body=b"second")
    with refused("PreconditionFailed", 412):
        s3.put_object(Bucket=versioned, Key="key", Body=b"third", IfMatch=first)


def test_both_conditions_are_refused(s3: Any, bucket: str) -> None:
    with refused("NotImplemented", 501):
        s3.put_object(Bucket=bucket, Key="key", IfMatch=OTHER, IfNoneMatch="*")


def test_large_body_is_kept_out_too(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"old")
    answer = raw.put(f"/{bucket}/key", noise(3 * MIB), headers={"If-None-Match": "*"})
    assert (answer.status, answer.code) == (412, "PreconditionFailed")
    assert body_of(s3, bucket) == b"old"


@pytest.mark.parametrize("size", [10, 100_000])
def test_of_racing_writers_exactly_one_wins(two_workers: Server, size: int) -> None:
    s3 = two_workers.client(max_pool_connections=16)
    bucket = f"race-{size}"
    s3.create_bucket(Bucket=bucket)
    rounds, writers = 25, 16

    def attempt(key: str, writer: int) -> int:
        try:
            s3.put_object(Bucket=bucket, Key=key, Body=bytes([writer]) * size, IfNoneMatch="*")
        except s3.exceptions.ClientError as error:
            assert error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")
            return 0
        return writer

    with ThreadPoolExecutor(writers) as pool:
        for number in range(rounds):
            key = f"key-{number}"
            won = list(pool.map(attempt, [key] * writers, range(1, writers + 1)))
            assert sum(map(bool, won)) == 1, won
            assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == bytes([max(won)]) * size


def test_of_racing_counters_none_is_lost(two_workers: Server) -> None:
    """Writers that each read, add one and write with If-Match count right."""
    s3 = two_workers.client(max_pool_connections=8)
    s3.create_bucket(Bucket="counter")
    s3.put_object(Bucket="counter", Key="key", Body=b"0")

    def add(times: int) -> None:
        while times:
            found = s3.get_object(Bucket="counter", Key="key")
            more = str(int(found["Body"].read()) + 1).encode()
            try:
                s3.put_object(Bucket="counter", Key="key", Body=more, IfMatch=found["ETag"])
                times -= 1
            except s3.exceptions.ClientError as error:
                assert error.response["Error"]["Code"] in ("PreconditionFailed", "ConditionalRequestConflict")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(add, [10] * 4))
    assert s3.get_object(Bucket="counter", Key="key")["Body"].read() == b"40"
