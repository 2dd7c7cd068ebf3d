"""https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-reads.html

Both GET and HEAD are asked: they must agree, but for the body.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from conformance.content import etag
from conformance.raw import Answer, Raw

BODY, OTHER = b"body", etag(b"something else")
Ask = Callable[..., Answer]


@pytest.fixture(params=["GET", "HEAD"])
def ask(request: Any, raw: Raw, s3: Any, bucket: str) -> Ask:
    """Asks for one object with the headers given; {before}, {at} and {after} stand for times around its own."""
    method = request.param
    s3.put_object(Bucket=bucket, Key="key", Body=BODY)
    at = s3.head_object(Bucket=bucket, Key="key")["LastModified"].astimezone(UTC)
    step = timedelta(seconds=1)
    moments = {"before": at - step, "at": at, "after": at + step, "tomorrow": at + timedelta(days=1)}
    times = {name: format_datetime(moment, usegmt=True) for name, moment in moments.items()}

    def asking(headers: dict[str, str]) -> Answer:
        headers = {name: value.format(**times) for name, value in headers.items()}
        answer = raw.send(raw.prepare(method, f"/{bucket}/key", headers=headers))
        if method == "HEAD" or answer.status == 304:
            assert answer.body == b""
        elif answer.status == 412:
            assert answer.code == "PreconditionFailed"
        return answer

    return asking


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"If-Match": etag(BODY)}, 200),
        ({"If-Match": etag(BODY).strip('"')}, 200),
        ({"If-Match": "*"}, 200),
        ({"If-Match": f"{OTHER}, {etag(BODY)}"}, 200),
        ({"If-Match": OTHER}, 412),
        ({"If-None-Match": OTHER}, 200),
        ({"If-None-Match": etag(BODY)}, 304),
        ({"If-None-Match": etag(BODY).strip('"')}, 304),
        ({"If-None-Match": "*"}, 304),
        ({"If-None-Match": f"{OTHER}, {etag(BODY)}"}, 304),
        ({"If-Modified-Since": "{before}"}, 200),
        ({"If-Modified-Since": "{at}"}, 304),
        # A time in the future is no valid one, and is overlooked: RFC 9110, 13.1.3.
        ({"If-Modified-Since": "{tomorrow}"}, 200),
        ({"If-Modified-Since": "not a date"}, 200),
        ({"If-Unmodified-Since": "{before}"}, 412),
        ({"If-Unmodified-Since": "{at}"}, 200),
        ({"If-Unmodified-Since": "{after}"}, 200),
        ({"If-Unmodified-Since": "not a date"}, 200),
        # If-Match that holds beats If-Unmodified-Since that does not.
        ({"If-Match": etag(BODY), "If-Unmodified-Since": "{before}"}, 200),
        ({"If-Match": OTHER, "If-Unmodified-Since": "{after}"}, 412),
        # If-None-Match that fails beats If-Modified-Since that holds.
        ({"If-None-Match": etag(BODY), "If-Modified-Since": "{before}"}, 304),
        ({"If-None-Match": OTHER, "If-Modified-Since": "{at}"}, 200),
    ],
    ids=str,
)
def test_condition(ask: Ask, headers: dict[str, str], status: int) -> None:
    assert ask(headers).status == status


def test_not_modified_still_names_the_object(ask: Ask) -> None:
    answer = ask({"If-None-Match": etag(BODY)})
    assert answer.header("etag") == etag(BODY)
    assert answer.header("last-modified")


def test_failed_condition_is_named(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=BODY)
    for headers, name in (
        ({"If-Match": OTHER}, "If-Match"),
        ({"If-Unmodified-Since": "Sat, 01 Jan 2000 00:00:00 GMT"}, "If-Unmodified-Since"),
    ):
        assert raw.get(f"/{bucket}/key", headers=headers).text("Condition") == name


def test_condition_comes_before_range(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=BODY)
    assert raw.get(f"/{bucket}/key", headers={"If-None-Match": etag(BODY), "Range": "bytes=0-1"}).status == 304
    assert raw.get(f"/{bucket}/key", headers={"If-Match": etag(BODY), "Range": "bytes=0-1"}).status == 206


def test_on_nothing_it_is_the_key_that_is_missing(raw: Raw, bucket: str) -> None:
    assert raw.get(f"/{bucket}/key", headers={"If-None-Match": "*"}).code == "NoSuchKey"
    assert raw.get(f"/{bucket}/key", headers={"If-Match": "*"}).code == "NoSuchKey"
