"""A large catalog in minutes: records through the log's and the database's own doors, the index by its rebuild."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from bench.batches import FOLDER, Tree, body_of
from catalog import Catalog
from catalog.batch import Batch
from catalog.database.applier import apply
from catalog.database.connection import open_database
from catalog.database.follower import BATCH, Follower
from catalog.database.ownership import owning
from catalog.folder import Folder
from catalog.index import encode
from catalog.log import Log
from catalog.records import NULL_VERSION, Bucket, LogRecord, ObjectChanged, Origin, Piece, Position, Version

FIRST_DAY = date(2024, 1, 1)
FOLDERS_A_DAY = 1000
STEP = (1 << 31) - 1  # a prime: keys do not come in their order


@dataclass(frozen=True)
class Archive(Tree):
    """Keys as a fleet of machines writes them: a folder of 20 for each machine and day."""

    size: int = 100

    def key(self, number: int) -> str:
        day, machine = divmod(number // FOLDER, FOLDERS_A_DAY)
        date_of = FIRST_DAY + timedelta(day)
        return f"tree/{date_of.isoformat()}/machine-{machine:05d}/reading-{number % FOLDER:02d}.parquet"


def generate(data: Path, bucket: Bucket, tree: Tree) -> float:
    """Fill the bucket of a stopped server; the seconds it took. Whoever opens the folder next makes the index anew."""
    began = time.perf_counter()
    gc.set_threshold(200_000, 20, 50)  # as the catalog process has it
    folder = Folder(data)
    catalog = Catalog.open(data)
    end, source = catalog.end(), catalog.tail()
    with owning(data), open_database(data) as connection:
        Follower(connection, source).catch_up()
        catalog.release()
        log = Log(folder.log, Log.catalog_of(folder.log))
        for start in range(0, tree.count, BATCH):
            numbers = range(start, min(start + BATCH, tree.count))
            records, end = append(log, end, bucket, tree, numbers)
            apply(connection, records, end)
        log.close()
        connection.execute("CHECKPOINT")
    folder.remove_index()
    return time.perf_counter() - began


def append(
    log: Log, end: Position, bucket: Bucket, tree: Tree, numbers: range
) -> tuple[list[tuple[int, LogRecord]], Position]:
    batch = Batch(log, end)
    origin = Origin(bucket.owner, "192.0.2.1", "0123456789ABCDEF")
    now = time.time_ns() // 1_000_000
    records = []
    for key, body, etag in objects(tree, numbers):
        piece = Piece(len(body), *batch.place(len(body)))
        version = Version(batch.seq + 1, NULL_VERSION, now, etag, len(body), "STANDARD", bucket.owner, body=piece)
        record = LogRecord(now, origin, ObjectChanged(bucket.id, key, version, previous=0))
        batch.add(body, encode(record))
        records.append((batch.seq, record))
    batch.sync()
    return records, batch.end


def objects(tree: Tree, numbers: range) -> Iterator[tuple[str, bytes, str]]:
    """Key, body and ETag, in an order that jumps about."""
    for count in numbers:
        number = count * STEP % tree.count
        key = tree.key(number)
        body = body_of(key, number % 2000, tree.size)
        yield key, body, hashlib.md5(body, usedforsecurity=False).hexdigest()
