"""A history of a bucket, made up as fast as it can be applied: what `bench.catalog` asks its questions about."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random

from catalog.dropping import Named, nobody
from catalog.errors import CatalogUnusable
from catalog.index.contents import Contents
from catalog.records import (
    NULL_VERSION,
    Bucket,
    BucketPut,
    Checksum,
    LogRecord,
    Mutation,
    ObjectChanged,
    Origin,
    Piece,
    Position,
    Removed,
    Version,
    VersionUpdated,
)

FIRST_DAY = date(2024, 1, 1)
DAYS = 300
BUCKET = Bucket(1, "archive", "a" * 64, 1_704_067_200_000, "us-east-1")
FOLDER = 20  # objects
DAY = 86_400_000  # milliseconds
KINDS = (("parquet", "application/vnd.apache.parquet"), ("json", "application/json"), ("jpg", "image/jpeg"))

Numbered = tuple[int, LogRecord]


@dataclass
class MadeUp:
    """`count` objects put over some days, each day's under its own folder, 20 of a machine together.

    Of a hundred mutations 90 put a new object, 5 an old one anew, 2 remove one, 3 give one tags. Every twentieth
    content was there before. `current` has the sequence number of each object's version, 0 where it is removed.
    """

    count: int
    days: int = DAYS
    seq: int = 0
    put: int = 0
    current: array[int] = field(default_factory=lambda: array("Q"))
    random: Random = field(default_factory=lambda: Random(1))

    def position(self, seq: int | None = None) -> Position:
        """Behind a mutation, the last for None."""
        seq = self.seq if seq is None else seq
        return Position(1 + seq // 16_384, 64 + seq % 16_384 * 4_400, seq, seq % 2**32)

    def batches(self, size: int) -> Iterator[list[Numbered]]:
        """All of it, the bucket first, up to so many mutations of one day at a time."""
        batch = [self._record(BucketPut(BUCKET))]
        while self.put < self.count:
            record = self._record(self._mutation())
            if batch and record[1].time // DAY != batch[0][1].time // DAY:
                yield batch
                batch = []
            batch.append(record)
            if len(batch) >= size:
                yield batch
                batch = []
        if batch:
            yield batch

    def more(self, mutations: int) -> list[Numbered]:
        """That many beyond, on the last day."""
        return [self._record(self._mutation()) for _ in range(mutations)]

    def puts(self, mutations: int) -> list[Numbered]:
        """That many new objects."""
        return [self._record(self._new()) for _ in range(mutations)]

    def overwrites(self, mutations: int) -> list[Numbered]:
        """Of that many objects, any of all there are."""
        return [self._record(self._overwritten(number)) for number in self._some(mutations)]

    def removals(self, mutations: int) -> list[Numbered]:
        """Of that many objects, any of all there are."""
        return [self._record(self._removed(number)) for number in self._some(mutations)]

    def _record(self, mutation: Mutation) -> Numbered:
        self.seq += 1
        time = BUCKET.created + min(self.put, self.count - 1) * self.days * DAY // self.count
        return self.seq, LogRecord(time, Origin("a" * 64, f"192.0.2.{self.seq % 50}", f"{self.seq:016X}"), mutation)

    def _mutation(self) -> Mutation:
        chosen = self.random.randrange(100)
        if chosen < 90 or self.put < 100:
            return self._new()
        number = self.random.randrange(self.put)
        if chosen < 95 or not self.current[number]:
            return self._overwritten(number)
        return self._removed(number) if chosen < 97 else self._tagged(number)

    def _some(self, count: int) -> list[int]:
        """Numbers of objects that are there."""
        tried = self.random.sample(range(self.put), min(self.put, count + count // 2 + 1000))
        return [number for number in tried if self.current[number]][:count]

    def _new(self) -> Mutation:
        """This and the like make what the next sequence number is given to."""
        self.current.append(self.seq + 1)
        self.put += 1
        number = self.put - 1
        return ObjectChanged(BUCKET.id, self.key(number), self._version(self.seq + 1, number), previous=0)

    def _overwritten(self, number: int) -> Mutation:
        removed = self._ended(number)
        self.current[number] = self.seq + 1
        return ObjectChanged(BUCKET.id, self.key(number), self._version(self.seq + 1, number), removed, previous=0)

    def _removed(self, number: int) -> Mutation:
        removed = self._ended(number)
        self.current[number] = 0
        return ObjectChanged(BUCKET.id, self.key(number), None, removed, previous=0)

    def _tagged(self, number: int) -> Mutation:
        tags = {"project": f"p{number % 40}", "keep": "yes"}
        return VersionUpdated(BUCKET.id, self.key(number), self._version(self.current[number], number, tags))

    def _ended(self, number: int) -> list[Removed]:
        return [Removed(self.current[number], NULL_VERSION)] if self.current[number] else []

    def key(self, number: int) -> str:
        day = FIRST_DAY + timedelta(number * self.days // self.count)
        kind, _ = KINDS[number % 3]
        return f"tree/{day.isoformat()}/machine-{number // FOLDER % 1000:05d}/reading-{number:010d}.{kind}"

    def _version(self, seq: int, number: int, tags: dict[str, str] | None = None) -> Version:
        content = seq if number % 20 else number // 1000
        return Version(
            seq,
            NULL_VERSION,
            BUCKET.created + number * self.days * DAY // self.count,
            f"{content * 0x9E3779B97F4A7C15F39CC0605CEDC835 % 2**128:032x}",
            4096 + content % 1000,
            "STANDARD" if number % 10 else "STANDARD_IA",
            BUCKET.owner,
            Checksum("CRC64NVME", f"{content:011x}="),
            body=Piece(4096, 1 + seq // 16_384, 64 + seq % 16_384 * 4_400),
            content_type=KINDS[number % 3][1],
            metadata={"mtime": f"{1_704_067_200 + number}", "owner": f"team-{number % 7}"},
            tags=tags,
        )


class Pending:
    """What a database follows instead of a log: records in memory."""

    catalog_id = b"made up for this"

    def __init__(self, history: MadeUp) -> None:
        self._history = history
        self._records: list[Numbered] = []

    def more(self, mutations: int) -> None:
        """That many more are there to be applied."""
        self._records = self._history.more(mutations)

    def end(self) -> Position:
        return self._history.position()

    def reaches(self, position: Position) -> bool:
        return True

    def read(self, position: Position, end: Position, limit: int) -> tuple[list[Numbered], Position]:
        first = position.seq + 1 - self._records[0][0]
        found = self._records[first : first + limit]
        return found, self._history.position(found[-1][0])

    def contents(self) -> AbstractContextManager[Contents]:
        raise CatalogUnusable("there is no index")

    def names(self, blob: bytes) -> bool:
        return False  # all bodies lie in the log

    def tell_applied(self, applied: Position) -> None:
        pass

    def lay_ahead(self) -> None:
        pass

    def drop_dead_segments(self, applied: Position, named: Named = nobody) -> list[int]:
        return []

    def compact(self, applied: Position) -> int | None:
        return None


def day(number: int) -> datetime:
    """The beginning of a day of the history."""
    return datetime(FIRST_DAY.year, FIRST_DAY.month, FIRST_DAY.day, tzinfo=UTC) + timedelta(number)
