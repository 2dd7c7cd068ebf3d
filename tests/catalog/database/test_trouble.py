from __future__ import annotations

import errno
import logging

import pytest

from catalog.database.trouble import Trouble


def test_it_is_told_once_when_it_begins_and_once_when_it_is_over(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble()
    full = OSError(errno.ENOSPC, "No space left on device")
    trouble.over("write")
    for _ in range(3):
        trouble.met("write", full)
    trouble.met("read", full)
    for _ in range(3):
        trouble.over("write")
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "the catalog process cannot write, trying again: [Errno 28] No space left on device"),
        (logging.ERROR, "the catalog process cannot read, trying again: [Errno 28] No space left on device"),
        (logging.WARNING, "the catalog process can write again"),
    ]
    assert not any(record.exc_info for record in caplog.records)
    trouble.met("write", full)
    assert len(caplog.records) == 4


def test_what_is_no_fault_of_the_disk_comes_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    trouble = Trouble()
    trouble.met("write", ValueError("of ours"))
    assert caplog.records[0].exc_info is not None
