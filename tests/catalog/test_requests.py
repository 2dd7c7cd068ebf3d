from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import msgspec
import pytest

from catalog import requests
from catalog.requests import Incoming, frames, take, waiting

ROOT = Path(__file__).resolve().parent.parent.parent

encode, decode = msgspec.msgpack.encode, msgspec.msgpack.decode


@pytest.fixture
def incoming(tmp_path: Path) -> Incoming:
    return Incoming(tmp_path)


def rows(path: Path) -> list[object]:
    return [row for frame in frames(path) for row in decode(frame)]


def test_what_is_appended_is_read_in_order(incoming: Incoming, tmp_path: Path) -> None:
    incoming.append(encode([1, "two"]))
    incoming.append(encode([3]))
    (path,) = waiting(tmp_path)
    assert rows(path) == [1, "two", 3]
    assert path.stat().st_mode & 0o777 == 0o600


def test_behind_a_file_that_was_taken_begins_another(incoming: Incoming, tmp_path: Path) -> None:
    incoming.append(encode([1]))
    taken = tmp_path / "taken"
    take(*waiting(tmp_path), taken)
    assert waiting(tmp_path) == []
    incoming.append(encode([2]))
    (path,) = waiting(tmp_path)
    assert (rows(taken), rows(path)) == ([1], [2])


def test_a_file_is_taken_between_two_frames(
    incoming: Incoming, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    incoming.append(encode([1]))
    writing, going_on = threading.Event(), threading.Event()
    write = requests._write

    def slowly(*given: Any) -> None:
        writing.set()
        going_on.wait()
        write(*given)

    monkeypatch.setattr(requests, "_write", slowly)
    appending = threading.Thread(target=incoming.append, args=(encode([2]),))
    appending.start()
    writing.wait()
    taking = threading.Thread(target=take, args=(*waiting(tmp_path), tmp_path / "taken"))
    taking.start()
    taking.join(0.1)
    assert taking.is_alive()
    going_on.set()
    taking.join()
    appending.join()
    assert rows(tmp_path / "taken") == [1, 2]


def test_each_writer_has_its_own_file(incoming: Incoming, tmp_path: Path) -> None:
    incoming.append(encode([1]))
    Incoming(tmp_path).append(encode([2]))
    assert [rows(path) for path in waiting(tmp_path)] == [[1], [2]]


@pytest.mark.parametrize("left", [1, 7, 8, 9, 30])
def test_a_torn_end_costs_only_itself(incoming: Incoming, tmp_path: Path, left: int) -> None:
    incoming.append(encode([1]))
    (path,) = waiting(tmp_path)
    whole = path.stat().st_size
    incoming.append(encode(["x" * 100]))
    os.truncate(path, whole + left)
    assert rows(path) == [1]


@pytest.mark.parametrize("damage", [b"\0" * 40, b"\xff" * 40])
def test_what_is_no_frame_ends_the_file(incoming: Incoming, tmp_path: Path, damage: bytes) -> None:
    incoming.append(encode([1]))
    (path,) = waiting(tmp_path)
    with path.open("ab") as file:
        file.write(damage)
    assert rows(path) == [1]


def test_a_byte_that_changed_is_noticed(incoming: Incoming, tmp_path: Path) -> None:
    incoming.append(encode(["text"]))
    (path,) = waiting(tmp_path)
    path.write_bytes(path.read_bytes().replace(b"text", b"test"))
    assert rows(path) == []


def test_a_file_that_nobody_takes_has_an_end(
    incoming: Incoming, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MOST", 100)
    incoming.append(encode(["x" * 100]))
    with pytest.raises(OSError, match="too many requests wait"):
        incoming.append(encode([2]))
    (path,) = waiting(tmp_path)
    assert rows(path) == ["x" * 100]
    path.unlink()
    incoming.append(encode([3]))
    assert [rows(path) for path in waiting(tmp_path)] == [[3]]


def test_half_a_frame_is_the_last_of_its_file(tmp_path: Path) -> None:
    """A process that may write no more than 100 bytes to a file stands for a disk that is full."""
    program = f"""
import resource, signal, msgspec
from pathlib import Path
from catalog.requests import Incoming
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
incoming = Incoming(Path({str(tmp_path)!r}))
incoming.append(msgspec.msgpack.encode([1]))
try:
    incoming.append(msgspec.msgpack.encode(["x" * 200]))
except OSError as problem:
    print("refused")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
incoming.append(msgspec.msgpack.encode([2]))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "refused\n"
    first, second = waiting(tmp_path)
    assert first.stat().st_size == 100
    assert (rows(first), rows(second)) == ([1], [2])
