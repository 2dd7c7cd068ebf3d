from __future__ import annotations

import os
from pathlib import Path

import pytest

from gateway.scrub import reading
from gateway.scrub.reading import BLOCK, blocks


@pytest.mark.parametrize("no_wait", [reading.NO_WAIT, 0])
@pytest.mark.parametrize("cached", [True, False])
def test_a_stretch_is_read_whole_from_the_cache_or_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, no_wait: int, cached: bool
) -> None:
    monkeypatch.setattr(reading, "NO_WAIT", no_wait)
    content = os.urandom(3 * BLOCK + 17)
    path = tmp_path / "blob"
    path.write_bytes(content)
    if not cached:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    assert b"".join(blocks(path, 0, len(content))) == content
    assert b"".join(blocks(path, 5, 2 * BLOCK)) == content[5 : 5 + 2 * BLOCK]
    assert b"".join(blocks(path, 3 * BLOCK, 1000)) == content[3 * BLOCK :]
