"""The data folder: what lies where, who has it open, and whether the index in it can be believed."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from catalog.errors import CatalogUnusable
from catalog.placing import sync_path


@dataclass(frozen=True)
class Folder:
    path: Path

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def index(self) -> Path:
        return self.path / "index"

    @property
    def database(self) -> Path:
        return self.path / "catalog.duckdb"

    @property
    def blobs(self) -> Path:
        return self.path / "blobs"

    @property
    def tmp(self) -> Path:
        return self.path / "tmp"

    def make(self) -> None:
        """Its name, and those of the folders made for it, are on the disk when this returns."""
        made = [path for path in self.path.absolute().parents if not path.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        with suppress(PermissionError):  # of a folder above that we may not read: who made ours may have synced it
            for path in (*made, self.path.absolute()):
                sync_path(path.parent)
        os.close(os.open(self._lock("opening"), os.O_RDWR | os.O_CREAT, 0o600))

    def is_new(self) -> bool:
        """Whether no catalog ever lived here: neither database nor index, and no bodies that belong to one."""
        there = (self.database, self.index / "boot")
        return not any(path.exists() for path in there) and not any(self.blobs.glob("*/*"))

    @contextmanager
    def opening(self) -> Iterator[None]:
        """Held while somebody finds out whether the index is good, and mends it."""
        descriptor = os.open(self._lock("opening"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def hold_open(self) -> int:
        """A descriptor that says, until closed, that this process uses the index."""
        descriptor = os.open(self._lock("open"), os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        return descriptor

    def in_use(self) -> bool:
        """Whether any process has the index open."""
        descriptor = os.open(self._lock("open"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
        return False

    def index_survived(self) -> bool:
        """Whether the index is of this boot of the machine, or was put to rest before the last ended.

        LMDB is not synced at a commit: the page cache outlives a killed process, but not the power.
        """
        claimed = self._claimed_in()
        return claimed is not None and (claimed == boot_id() or (self.index / "rest").exists())

    def claim_index(self) -> None:
        """Before the first commit: from now on the index is good for this boot only.

        The note is there whole at any moment: others may work with the index, and whoever comes next must believe it.
        """
        (self.index / "rest").unlink(missing_ok=True)
        if self._claimed_in() != boot_id():
            draft = self.index / "boot.new"
            with draft.open("w") as file:
                file.write(boot_id())
                file.flush()
                os.fsync(file.fileno())
            draft.rename(self.index / "boot")
        sync_path(self.index)

    def rest_index(self) -> None:
        """The index was synced to disk and nobody writes: it is good after any restart."""
        if not self.index.exists():
            return
        with (self.index / "rest").open("w") as file:
            os.fsync(file.fileno())
        sync_path(self.index)

    def remove_index(self) -> None:
        if self.in_use():
            raise CatalogUnusable(
                f"{self.index} is missing or damaged, and another process works with it: restart the server"
            )
        shutil.rmtree(self.index, ignore_errors=True)

    def _claimed_in(self) -> str | None:
        """The boot in which the index was claimed last; None: never."""
        try:
            return (self.index / "boot").read_text()
        except FileNotFoundError:
            return None

    @contextmanager
    def index_aside(self) -> Iterator[None]:
        """Without its index, which comes back where an exception is raised. Raises CatalogUnusable if it is in use."""
        aside = self.path / "index.old"
        with self.opening():
            if self.in_use():
                raise CatalogUnusable(f"another process works with {self.index}: stop the server first")
            shutil.rmtree(aside, ignore_errors=True)
            self.index.rename(aside)
        try:
            yield
        except BaseException:
            with self.opening():
                if not self.in_use():  # else somebody came between and has made a sound one
                    shutil.rmtree(self.index, ignore_errors=True)
                    aside.rename(self.index)
            raise
        shutil.rmtree(aside)

    def _lock(self, name: str) -> Path:
        return self.path / f"{name}.lock"


def boot_id() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
