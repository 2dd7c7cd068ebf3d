from __future__ import annotations

from pathlib import Path

import pytest

from catalog.lifecycle import ABORT, EXPIRE, REMOVE_MARKER, REMOVE_NONCURRENT
from catalog.records import Bucket
from catalog.requests import LOGGED, frames, waiting
from conformance.access_logs import LINE
from gateway.access_logs.configuration import SETTING, Configuration
from gateway.access_logs.line import decode_entries, line_of
from gateway.access_logs.removals import Removals, name_of


@pytest.mark.parametrize(
    ("kind", "versioned", "name"),
    [
        (EXPIRE, False, "S3.EXPIRE.OBJECT"),
        (EXPIRE, True, "S3.CREATE.DELETEMARKER"),
        (REMOVE_NONCURRENT, True, "S3.EXPIRE.OBJECT"),
        (REMOVE_MARKER, True, "S3.EXPIRE.OBJECT"),
        (ABORT, True, "S3.DELETE.UPLOAD"),
    ],
)
def test_a_name(kind: str, versioned: bool, name: str) -> None:
    assert name_of(kind, versioned) == name


async def test_of_a_bucket_with_a_log_each_is_a_line(tmp_path: Path) -> None:
    removals = Removals(tmp_path)
    plain = Bucket(1, "plain", "a" * 64, 0, "us-east-1")
    logged = Bucket(2, "logged", "a" * 64, 0, "us-east-1", settings={SETTING: Configuration("logs").dump()})
    for bucket in (plain, logged):
        removals.add(bucket, EXPIRE, "old key", 5)
    removals.close()
    (path,) = waiting(tmp_path, LOGGED)
    (entry,) = [entry for frame in frames(path) for entry in decode_entries(frame)]
    match = LINE.fullmatch(line_of(entry))
    assert match is not None
    assert (match["bucket"], match["requester"], match["key"]) == ("logged", "ducket:lifecycle", "old%2520key")
    assert (match["operation"], match["size"], match["status"]) == ("S3.EXPIRE.OBJECT", "5", "-")
