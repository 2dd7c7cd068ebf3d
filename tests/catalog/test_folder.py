"""A folder that others have open: none of them may be taken by what the other does for one that was damaged."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from catalog import Catalog
from catalog.folder import Folder
from catalog.records import Origin, Version

ORIGIN = Origin()
OPEN_OFTEN = """
import sys
from pathlib import Path
from catalog import Catalog

for _ in range(300):
    Catalog.open(Path(sys.argv[1])).release()
"""


async def test_a_folder_is_opened_while_another_process_commits(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    opening = await asyncio.create_subprocess_exec(sys.executable, "-c", OPEN_OFTEN, str(tmp_path))
    ended = asyncio.ensure_future(opening.wait())
    while not ended.done():
        await catalog.put(ORIGIN, bucket, "a", Version(0, "", 0, "e", 5, "STANDARD", "root"), b"hello")
    assert await ended == 0
    await catalog.close()


async def test_who_opens_a_folder_beside_others_leaves_the_note_of_the_boot_as_it_is(tmp_path: Path) -> None:
    """Killed while it wrote it anew, it would leave an index that nobody believes, and cannot make anew either."""
    catalog = Catalog.open(tmp_path)
    before = (tmp_path / "index" / "boot").stat()
    await asyncio.sleep(0.02)
    other = await asyncio.create_subprocess_exec(sys.executable, "-c", OPEN_OFTEN, str(tmp_path))
    assert await other.wait() == 0
    after = (tmp_path / "index" / "boot").stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    catalog.release()


def test_the_last_to_let_go_puts_the_index_to_rest(tmp_path: Path) -> None:
    one = Catalog.open(tmp_path)
    with Folder(tmp_path).opening():
        held = Folder(tmp_path).hold_open()  # as another process has it
    one.release()
    assert not (tmp_path / "index" / "rest").exists()
    os.close(held)
    Catalog.open(tmp_path).release()
    assert (tmp_path / "index" / "rest").exists()
