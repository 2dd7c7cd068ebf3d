from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from catalog.records import Version
from gateway.operations import Context, listening
from gateway.operations.listening import BLANK, EMPTY, Listening, listen_bucket_notification, wanted
from gateway.s3.errors import S3Error

DRAFT = Version(0, "", 0, "e" * 32, 5, "STANDARD", "root")
CREATED = frozenset({"s3:ObjectCreated:Put"})


def test_events_are_named_one_by_one() -> None:
    assert wanted(b"events=s3%3AObjectRemoved%3A*&prefix=a&events=s3:ObjectAcl:Put") == {
        "s3:ObjectRemoved:Delete",
        "s3:ObjectRemoved:DeleteMarkerCreated",
        "s3:ObjectAcl:Put",
    }
    assert wanted(b"events=") == frozenset()
    assert not wanted(b"events=s3:ObjectAccessed:*&events=s3:BucketCreated:*") & {"s3:ObjectCreated:Put"}
    with pytest.raises(S3Error):
        wanted(b"events=s3:ObjectCreated:*&events=nonsense")


async def test_a_line_an_event_from_now_on(at: Callable[..., Context]) -> None:
    cx = at()
    await cx.catalog.put(cx.origin, cx.here, "before", DRAFT, b"hello")
    answer = Listening(cx, CREATED, "a", "z", 1000.0)
    lines = aiter(answer)
    assert await anext(lines) == BLANK
    other = cx.catalog.bucket("other")
    for bucket, key in ((cx.here, "abc"), (other, "az"), (cx.here, "az"), (cx.here, "bz"), (cx.here, "a/z")):
        await cx.catalog.put(cx.origin, bucket, key, DRAFT, b"hello")
    await cx.catalog.delete(cx.origin, cx.here, "az")
    found = (await anext(lines)).splitlines()
    assert [json.loads(line)["Records"][0]["s3"]["object"]["key"] for line in found] == ["az", "a/z"]
    await answer.aclose()
    assert [line async for line in answer.sources()] == [BLANK]


async def test_signs_of_life(at: Callable[..., Context]) -> None:
    for sign, ping in ((BLANK, 0.0), (EMPTY, 0.01)):
        answer = Listening(at(), CREATED, "", "", ping)
        answer._every = 0.01
        lines = aiter(answer)
        assert [await anext(lines), await anext(lines), await anext(lines)] == [BLANK, sign, sign]
        await answer.aclose()


async def test_so_many_and_no_more(at: Callable[..., Context], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listening, "MOST", Listening.count + 1)
    cx = at()
    first = (await listen_bucket_notification(cx, "b"))["body"]
    with pytest.raises(S3Error) as refused:
        await listen_bucket_notification(cx, "b")
    assert refused.value.code == "SlowDown"
    await first.aclose()
    await first.aclose()
    second = (await listen_bucket_notification(cx, "b", ping="x"))["body"]
    await second.aclose()
