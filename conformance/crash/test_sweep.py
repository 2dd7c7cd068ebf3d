"""The sweep at a start: what a kill left goes, what anybody names stays, even where the key index is wrong."""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import pytest

from catalog import Catalog
from conformance.crash.client import Body, Client
from conformance.crash.points import kill_family
from conformance.server import running
from gateway.supervisor import sweep

BUCKET = "swept"
PART = 5 << 20
LONG_AGO = 3600.0  # seconds


def fill(data: Path) -> dict[str, bytes]:
    """One object with a blob, one with two parts, an upload with one; and a blob that nothing names. Not at rest."""
    contents = {"one": os.urandom(200_000), "two": os.urandom(PART + 100_000)}
    with running(data, "--workers", "1") as server:
        client = Client(server)
        client.create_bucket(BUCKET)
        client.put(BUCKET, "one", contents["one"])
        upload = client.create_upload(BUCKET, "two")
        halves = contents["two"][:PART], contents["two"][PART:]
        etags = {
            number: client.put_part(BUCKET, "two", upload, number, half) for number, half in enumerate(halves, start=1)
        }
        client.complete(BUCKET, "two", upload, etags)
        client.put_part(BUCKET, "under way", client.create_upload(BUCKET, "under way"), 1, os.urandom(100_000))
        kill_family(server.process.pid)
    orphan(data).write_bytes(b"left by a kill")
    for path in (data / "blobs").glob("*/*"):
        os.utime(path, (time.time() - LONG_AGO, time.time() - LONG_AGO))
    return contents


def orphan(data: Path) -> Path:
    return data / "blobs" / "ab" / ("ab" * 16)


def forget_blobs(data: Path) -> int:
    """The index does not say any more who names a blob; how many it knew."""
    catalog = Catalog.open(data)
    with catalog._index.write() as txn:
        known = [bytes(blob) for blob, _ in txn.cursor(db=catalog._index.blobs)]
        for blob in known:
            txn.delete(blob, db=catalog._index.blobs)
    catalog.release()
    return len(known)


def test_what_the_database_names_stays_though_the_index_does_not(tmp_path: Path) -> None:
    data = tmp_path / "data"
    contents = fill(data)
    assert forget_blobs(data) == 4
    with running(data, "--workers", "1") as server:
        while orphan(data).exists():
            pass
        client = Client(server)
        for key, content in contents.items():
            assert client.get(BUCKET, key)[0] == Body.of(content)
    assert len(list((data / "blobs").glob("*/*"))) == 4
    log = (tmp_path / "data.log").read_text()
    assert "the key index does not name 4 bodies that the database names" in log
    assert "1 bodies that nothing named were removed" in log


def test_nothing_goes_while_the_database_cannot_be_asked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    data = tmp_path / "data"
    fill(data)
    with caplog.at_level(logging.WARNING):
        sweep(data, time.time() - LONG_AGO / 2, time.time() - time.monotonic())
    assert orphan(data).exists()
    assert "the database cannot be asked" in caplog.text
