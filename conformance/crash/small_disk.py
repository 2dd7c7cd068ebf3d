"""A file system of a few MiB, so that a disk is full for real: in a namespace of its own, as any user may have one."""

from __future__ import annotations

import errno
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

_MOUNT = 'mount -t tmpfs -o size="$1",mode=700 tmpfs "$2" && echo ready && exec cat'
_BLOCK = 64 * 1024


@dataclass(frozen=True)
class SmallDisk:
    """`path` is where programs begun by `enter` see it, `seen` where we do."""

    path: Path
    seen: Path
    enter: tuple[str, ...] = ()

    @property
    def free(self) -> int:
        return shutil.disk_usage(self.seen).free

    def fill(self, left: int = 0) -> None:
        """Until so many bytes, or fewer, are free."""
        with (self.seen / "filler").open("ab", buffering=0) as file:
            try:
                while self.free > left:
                    file.write(bytes(min(_BLOCK, self.free - left)))
            except OSError as error:
                assert error.errno == errno.ENOSPC

    def empty(self) -> None:
        (self.seen / "filler").unlink()


@contextmanager
def small_disk(place: Path, size: int) -> Iterator[SmallDisk]:
    """Mounted at a new folder `place`. Where no namespace may be made, only root can do it."""
    place.mkdir()
    for enter in (("unshare", "-Urm"), ()):
        keeper = subprocess.Popen(
            [*enter, "sh", "-c", _MOUNT, "sh", str(size), str(place)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert keeper.stdin is not None and keeper.stdout is not None and keeper.stderr is not None
        if keeper.stdout.readline() == "ready\n":
            break
        said = keeper.stderr.read()
        keeper.wait()
    else:
        raise RuntimeError(f"neither a namespace nor a mount can be had to fill a disk in: {said}")
    try:
        if enter:
            inside = ("nsenter", "-t", str(keeper.pid), "-U", "-m", "--preserve-credentials")
            yield SmallDisk(place, Path(f"/proc/{keeper.pid}/root{place.absolute()}"), inside)
        else:
            yield SmallDisk(place, place)
    finally:
        keeper.stdin.close()
        keeper.wait()
        if not enter:
            subprocess.run(["umount", "-l", str(place)], check=True)
