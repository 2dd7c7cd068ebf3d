"""What the key index is rebuilt from: every record the database holds, versions in the index's own order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import msgspec

from catalog.database.connection import open_database
from catalog.database.ownership import owning
from catalog.database.tables import applied
from catalog.folder import Folder
from catalog.records import Bucket, Part, Position, Upload, User

_BATCH = 65_536
_PATIENCE = 30.0  # a catalog process that was just told to stop may yet be writing its checkpoint

_decode_bucket: Callable[[bytes], Bucket] = msgspec.msgpack.Decoder(Bucket).decode
_decode_user: Callable[[bytes], User] = msgspec.msgpack.Decoder(User).decode
_decode_upload: Callable[[bytes], Upload] = msgspec.msgpack.Decoder(Upload).decode
_decode_part: Callable[[bytes], Part] = msgspec.msgpack.Decoder(Part).decode


@contextmanager
def open_feed(folder: Folder) -> Iterator[Feed]:
    """The database of a folder whose catalog process does not run. Raises CatalogUnusable."""
    with owning(folder.path, _PATIENCE), open_database(folder.path) as connection:
        yield Feed(connection)


class Feed:
    """Reads each table by a cursor of its own. Nothing may be applied meanwhile."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def catalog_id(self) -> bytes | None:
        """None in a database that was never given anything."""
        return applied.identity(self._connection)

    def position(self) -> Position | None:
        return applied.position(self._connection) if self.catalog_id() is not None else None

    def buckets(self) -> Iterator[Bucket]:
        for (entries,) in self._columns("SELECT entry FROM private.buckets ORDER BY name"):
            yield from map(_decode_bucket, entries)

    def users(self) -> Iterator[User]:
        for (entries,) in self._columns("SELECT entry FROM private.users ORDER BY access_key"):
            yield from map(_decode_user, entries)

    def uploads(self) -> Iterator[Upload]:
        for (entries,) in self._columns("SELECT entry FROM private.uploads ORDER BY bucket_id, key, upload_id"):
            yield from map(_decode_upload, entries)

    def parts(self) -> Iterator[tuple[str, Part]]:
        """Upload id and part, by upload and number."""
        ordered = "SELECT upload_id, entry FROM private.parts ORDER BY upload_id, part_number"
        for upload_ids, entries in self._columns(ordered):
            yield from zip(upload_ids, map(_decode_part, entries), strict=True)

    def versions(self) -> Iterator[list[tuple[int, bytes, int, bytes]]]:
        """Batches of bucket id, key, seq and entry: by bucket, by the bytes of the key, and from the newest on."""
        ordered = "SELECT bucket_id, encode(key), seq, entry FROM private.objects ORDER BY bucket_id, key, seq DESC"
        for columns in self._columns(ordered):
            yield list(zip(*columns, strict=True))

    def _columns(self, statement: str) -> Iterator[list[list[Any]]]:
        with self._connection.cursor() as cursor:
            for batch in cursor.sql(statement).to_arrow_reader(_BATCH):
                yield [column.to_pylist() for column in batch.columns]
