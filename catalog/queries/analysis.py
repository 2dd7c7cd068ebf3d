"""How database, key index, commit log and bodies are, and what to do about it. Changes nothing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from catalog.database.client import Reached
from catalog.database.connection import AUTOCHECKPOINT, FILE
from catalog.database.frames import StoredTable
from catalog.lag import SLOWING
from catalog.measures import IndexMeasures, LogMeasures, in_memory
from catalog.store import Catalog

SETTLED = 60.0  # seconds after which a body whose record never came is taken for an orphan
MUCH = 64 << 20  # bytes that are worth a word
FEW_GROUPS = 8  # row groups of a table that no query takes long over
DEAD, SPARSE, OVERLAPPING = 0.3, 0.3, 0.3  # of a table's rows, and of its row groups
FREE = 0.5  # of the pages of the index, and of the blocks of the database
HITS = 0.9
COLD = 0.5  # of the index in memory


@dataclass(frozen=True)
class DatabaseState:
    """Bytes of the file, of free blocks in it, of its write-ahead log; held in memory by the kernel and by DuckDB.

    `read` is what the catalog process has asked of files since it began, `from_disk` what of it was in no cache; None
    where no server runs.
    """

    bytes: int
    free: int
    wal: int
    in_page_cache: int
    in_buffer: int
    buffer_limit: int
    read: int | None
    from_disk: int | None

    @property
    def hit_rate(self) -> float | None:
        """Of what was read, the share that some cache had."""
        if not self.read or self.from_disk is None:
            return None
        return max(0.0, 1 - self.from_disk / self.read)


@dataclass(frozen=True)
class BodiesState:
    """Files in blobs/; `orphans` are those that nothing has named for a minute, `lost` bodies are named and gone."""

    files: int
    orphans: int
    orphan_bytes: int
    lost: int


@dataclass(frozen=True)
class Analysis:
    """`seq` is the last mutation, `lag` how many the database lacked, `problem` why it cannot go on, if so."""

    seq: int
    lag: int
    problem: str | None
    journal: int
    database: DatabaseState
    tables: tuple[StoredTable, ...]
    index: IndexMeasures
    log: LogMeasures
    bodies: BodiesState


def analyze(catalog: Reached, opened: Catalog) -> Analysis:
    """`opened` is the catalog of the same folder. Raises QueryFailed, CatalogUnusable."""
    before = status = catalog.status()
    if status.problem is None:
        catalog.sync()
        status = catalog.status()
    storage = catalog.storage()
    index, log = opened.tail().measure(status.applied)
    database = opened.folder.path / FILE
    reads = storage.reads
    state = DatabaseState(
        storage.size,
        storage.free,
        storage.wal,
        in_memory(database),
        storage.buffer,
        storage.buffer_limit,
        None if reads is None else reads.asked,
        None if reads is None else reads.from_disk,
    )
    return Analysis(
        status.end.seq,
        before.end.seq - before.applied.seq,
        status.problem,
        status.rows["journal"],
        state,
        tuple(storage.tables),
        index,
        log,
        _bodies(opened),
    )


def _bodies(opened: Catalog) -> BodiesState:
    """A body is there a moment before its record, and goes a moment after its last one: those are given time."""
    before = time.time() - SETTLED
    files, suspects = 0, []
    for path in opened.folder.blobs.glob("*/*"):
        if blob := _blob(path):
            files += 1
            if not opened.blob_alive(blob):
                suspects.append((path, blob))
    lost = 0
    with opened.tail().contents() as contents:
        gone = [blob for blob in contents.blobs() if not _path(opened, blob).exists()]
    if suspects or gone:
        time.sleep(1)
        lost = sum(opened.blob_alive(blob) and not _path(opened, blob).exists() for blob in gone)
    sizes = [size for path, blob in suspects if (size := _settled(path, before)) >= 0 and not opened.blob_alive(blob)]
    return BodiesState(files, len(sizes), sum(sizes), lost)


def _blob(path: Path) -> bytes | None:
    try:
        return bytes.fromhex(path.name)
    except ValueError:  # nothing of ours
        return None


def _path(opened: Catalog, blob: bytes) -> Path:
    name = blob.hex()
    return opened.folder.blobs / name[:2] / name


def _settled(path: Path, before: float) -> int:
    """Its size; -1 where it is younger than that, or gone."""
    try:
        found = path.stat()
    except FileNotFoundError:
        return -1
    return found.st_size if found.st_mtime < before else -1


def advise(found: Analysis) -> Iterator[str]:
    """What is worth doing something about, and what to do."""
    served = found.database.read is not None
    if found.problem is not None:
        yield f"the database cannot be brought up to date ({found.problem}): see what the server logged"
    elif found.lag > SLOWING:
        yield (
            f"the database is {found.lag:,} mutations behind and writes wait for it: it needs more of the processor; "
            "--sql-threads bounds what queries take of it"
        )
    yield from _of_database(found)
    for table in found.tables:
        yield from _of_table(table)
    yield from _of_index(found.index, served)
    if found.log.sparse:
        do = "compaction empties them, unless --compaction-rate is 0" if served else "a running server empties them"
        yield f"{found.log.sparse} segments of the commit log are mostly dead: {do}"
    if found.bodies.orphans:
        yield (
            f"{found.bodies.orphans:,} files in blobs/ ({found.bodies.orphan_bytes:,} bytes) are named by nothing: "
            "the next start of the server removes them"
        )
    if found.bodies.lost:
        yield f"{found.bodies.lost:,} large bodies are gone: `ducket scrub` says whose; restore them from a backup"


def _of_index(index: IndexMeasures, served: bool) -> Iterator[str]:
    if index.free > FREE * index.pages and index.bytes > MUCH:
        yield (
            f"{index.free / index.pages:.0%} of the key index is free pages, which it uses again as it "
            "grows: to have the room back stop the server and remove index/, the next start makes it anew"
        )
    if served and index.bytes > MUCH and index.bytes_in_memory < COLD * index.bytes:
        yield (
            f"{index.bytes_in_memory / index.bytes:.0%} of the key index is in memory: requests for other "
            "keys wait for the disk. After a reboot that passes, else the machine needs more memory"
        )


def _of_database(found: Analysis) -> Iterator[str]:
    database = found.database
    if database.wal > AUTOCHECKPOINT:
        yield (
            f"the database's write-ahead log has {database.wal:,} bytes: a start reads all of it; queries that ran "
            "long stood in its way, `ducket db checkpoint` takes it into the file"
        )
    if database.free > FREE * database.bytes and database.free > MUCH:
        yield (
            f"{database.free:,} of {database.bytes:,} bytes of {FILE} are free blocks: they are used again as it "
            "grows; there is nothing to do, unless the disk is short: then it is made anew from an export"
        )
    rate = database.hit_rate
    if rate is not None and rate < HITS and (database.from_disk or 0) > database.buffer_limit:
        yield (
            f"{1 - rate:.0%} of what the database read came from the disk: it takes {database.bytes:,} bytes, and may "
            f"hold {database.buffer_limit:,} in memory: raise --sql-memory, or give the machine more"
        )


def _of_table(table: StoredTable) -> Iterator[str]:
    if table.row_groups < FEW_GROUPS:
        return
    if table.dead > DEAD * table.rows or table.sparse > SPARSE * table.row_groups:
        yield (
            f"{table.dead:,} rows of {table.name} are dead and {table.sparse} of its {table.row_groups} row groups "
            "less than half full: `ducket db checkpoint` merges them"
        )
    if table.overlapping > OVERLAPPING * table.row_groups:
        yield (
            f"{table.overlapping} of {table.row_groups} row groups of {table.name} have sequence numbers of others: "
            "whoever looks for a version reads more of them. A database made anew from an export is in order again"
        )
