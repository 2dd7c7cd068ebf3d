from __future__ import annotations

import asyncio
import json
import logging
import time
from pathlib import Path

import pytest

from gateway.logging import FLUSH_SECONDS, SELDOM, JsonFormatter, RequestLog, Seldom
from tests.gateway.conftest import request


async def test_a_request_is_one_line_of_json(tmp_path: Path) -> None:
    log = RequestLog(str(tmp_path / "requests.log"))
    asked = request("GET", "/bucket/a%0Akey")
    log.write(asked, "GetObject", "alice", 404, "NoSuchKey", 300, time.perf_counter())
    log.write(asked, "GetObject", "alice", 200, "", 5, time.perf_counter())
    log.flush()
    lines = [json.loads(line) for line in (tmp_path / "requests.log").read_text().splitlines()]
    assert [line["status"] for line in lines] == [404, 200]
    expected = {"operation": "GetObject", "user": "alice", "bucket": "bucket", "key": "a\nkey", "error": "NoSuchKey"}
    assert expected.items() <= lines[0].items()
    assert lines[0]["request_id"] == asked.request_id


async def test_lines_are_written_before_long(tmp_path: Path) -> None:
    log = RequestLog(str(tmp_path / "requests.log"))
    log.write(request(), "ListBuckets", "root", 200, "", 0, time.perf_counter())
    await asyncio.sleep(2 * FLUSH_SECONDS)
    assert json.loads((tmp_path / "requests.log").read_text())["operation"] == "ListBuckets"


def test_a_warning_that_many_give_reason_for_is_given_once_a_minute(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seldom, now = Seldom("no room"), 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    first, second = request(), request()
    for at, asked in ((1000.0, first), (1000.0 + SELDOM - 1, request()), (1000.0 + SELDOM, second)):
        now = at
        seldom.give(asked, "full")
    told = [(record.levelname, record.getMessage(), record.__dict__["request_id"]) for record in caplog.records]
    assert told == [("WARNING", "no room: 'full'", asked.request_id) for asked in (first, second)]


def test_an_error_has_its_request_id_and_traceback_on_one_line() -> None:
    try:
        raise ValueError("why\nso")
    except ValueError as error:
        record = logging.LogRecord("ducket", logging.ERROR, "", 0, "%s failed", ("/a",), (ValueError, error, None))
    record.request_id = "ABC"
    text = JsonFormatter().format(record)
    line = json.loads(text)
    assert "\n" not in text
    assert (line["level"], line["message"], line["request_id"]) == ("error", "/a failed", "ABC")
    assert "ValueError: why" in line["traceback"]
