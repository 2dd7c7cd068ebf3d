"""Log to tables: a batch of records becomes one transaction, and none is ever applied twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from catalog.database.columns import by_column
from catalog.database.effect import Effect, Key, keys_in_doubt
from catalog.database.tables import applied, buckets, journal, objects, parts, uploads, usage, users
from catalog.database.transaction import transaction
from catalog.errors import CatalogUnusable
from catalog.records import BucketPut, LogRecord, Mutation, ObjectChanged, Position, UploadCreated, VersionUpdated

Numbered = tuple[int, LogRecord]

_EPOCH = date(1970, 1, 1).toordinal()
_MILLISECONDS = 86_400_000  # of a day


def apply(connection: duckdb.DuckDBPyConnection, records: list[Numbered], position: Position) -> int:
    """Apply what of `records` is new, up to `position`, which stands behind the last; how many were new.

    They are to be `of_one_day`. Raises CatalogUnusable, and leaves no trace, where sequence numbers are missing.
    """
    with transaction(connection):
        new = _new(records, applied.position(connection).seq, position)
        if new:
            _apply(connection, new, _day(new))
            usage.settle(connection)
            applied.advance(connection, position)
    return len(new)


def of_one_day(records: list[Numbered]) -> int:
    """How many of them, from the first on, are of its day.

    Usage is counted by day, and what a transaction has written itself it must not take away again: where DuckDB 2.0.0
    removes rows of before the transaction and of the transaction itself in one statement, it loses others.
    """
    if len(_days(records)) < 2:
        return len(records)
    first = records[0][1].time // _MILLISECONDS
    return next(at for at, (_, record) in enumerate(records) if record.time // _MILLISECONDS != first)


def _new(records: list[Numbered], reached: int, position: Position) -> list[Numbered]:
    """The records behind `reached`, which must follow it, and one another, without a gap, to `position`."""
    new = [record for record in records if record[0] > reached]
    if new or position.seq > reached:
        expected = range(reached + 1, position.seq + 1)
        if [seq for seq, _ in new] != list(expected):
            came = f"{new[0][0]} to {new[-1][0]}" if new else "none"
            raise CatalogUnusable(
                f"DuckDB has applied the commit log up to sequence number {reached} and should get what follows, up to "
                f"{position.seq}, but was given {came}: a segment is missing, or the two are not of the same catalog"
            )
    return new


def _day(records: list[Numbered]) -> date:
    days = _days(records)
    if len(days) > 1:
        raise ValueError(f"the records {records[0][0]} to {records[-1][0]} are of {len(days)} days")
    return date.fromordinal(_EPOCH + days.pop())


def _days(records: list[Numbered]) -> set[int]:
    return {record.time // _MILLISECONDS for _, record in records}


def _apply(connection: duckdb.DuckDBPyConnection, records: list[Numbered], day: date) -> None:
    mutations = [record.mutation for _, record in records]
    known = buckets.find(connection, _bucket_ids(mutations))
    effect = Effect(known, _history(connection, keys_in_doubt(mutations, known)))
    previous = [effect.add(mutation) for mutation in mutations]
    put = _put(mutations)
    journal.add(connection, records, previous, known, put)
    buckets.replace(connection, effect.buckets)
    users.replace(connection, effect.users)
    _write_uploads(connection, effect)
    _write_objects(connection, effect, put, day)


def _put(mutations: list[Mutation]) -> pa.Table:
    """The versions that the mutations put, all as if they were the newest of their keys."""
    puts = [mutation for mutation in mutations if type(mutation) is ObjectChanged and mutation.put is not None]
    versions = [mutation.put for mutation in puts if mutation.put is not None]
    return objects.table(*_places(puts), versions, [True] * len(puts))


def _places(mutations: Sequence[ObjectChanged | VersionUpdated]) -> tuple[list[int], list[str]]:
    return [mutation.bucket_id for mutation in mutations], [mutation.key for mutation in mutations]


def _bucket_ids(mutations: list[Mutation]) -> set[int]:
    ids = {mutation.bucket_id for mutation in mutations if type(mutation) is ObjectChanged}
    return ids.union([_bucket_id(mutation) for mutation in mutations if type(mutation) is not ObjectChanged])


def _bucket_id(mutation: Mutation) -> int:
    match mutation:
        case BucketPut():
            return mutation.bucket.id
        case UploadCreated():
            return mutation.upload.bucket_id
        case _:
            return getattr(mutation, "bucket_id", 0)


def _history(connection: duckdb.DuckDBPyConnection, keys: set[Key]) -> dict[Key, set[int]]:
    history: dict[Key, set[int]] = {key: set() for key in keys}
    if keys:
        for bucket_id, key, seq in objects.versions_of(connection, keys):
            history[bucket_id, key].add(seq)
    return history


def _write_uploads(connection: duckdb.DuckDBPyConnection, effect: Effect) -> None:
    uploads.remove(connection, effect.ended_uploads)
    parts.remove_of_uploads(connection, effect.ended_uploads)
    uploads.remove_of_buckets(connection, effect.removed_buckets())
    parts.remove_of_buckets(connection, effect.removed_buckets())
    uploads.add(connection, effect.uploads.values())
    puts = {(upload_id, number): put for upload_id, held in effect.parts.items() for number, put in held.items()}
    parts.add(connection, puts, [key for key in puts if key[0] not in effect.uploads])
    parts.move_bodies(connection, effect.moved_parts)


def _write_objects(connection: duckdb.DuckDBPyConnection, effect: Effect, put: pa.Table, day: date) -> None:
    """A version that was updated is written anew: DuckDB does the same with an UPDATE of maps."""
    found = _found(connection, effect)
    updated = _updated(effect, found)
    staying = found.filter(pc.invert(found["goes"]))
    objects.remove(connection, found.filter(found["goes"]))
    objects.mark_latest(connection, staying.filter(pc.invert(staying["becomes_latest"])), False)
    objects.mark_latest(connection, staying.filter(staying["becomes_latest"]), True)
    added = _added(effect, put)
    objects.add(connection, pa.concat_tables([updated, added]))
    objects.move_bodies(connection, effect.moved_versions)
    usage.record(connection, day, added, found.filter(found["counts"]))


def _added(effect: Effect, put: pa.Table) -> pa.Table:
    """Those of the versions put that remain, as they are at the end."""
    changed = effect.hidden.union(effect.altered)
    if changed or len(effect.added) != put.num_rows:
        as_put = [seq in effect.added and seq not in changed for seq in put.column("seq").to_pylist()]
        made = {seq: mutation for seq, mutation in effect.added.items() if seq in changed}
        versions = [effect.altered.get(seq, mutation.put) for seq, mutation in made.items()]
        rest = objects.table(
            *_places(list(made.values())),
            [version for version in versions if version is not None],
            [seq not in effect.hidden for seq in made],
        )
        put = pa.concat_tables([put.filter(pa.array(as_put)), rest])
    return put


def _found(connection: duckdb.DuckDBPyConnection, effect: Effect) -> pa.Table:
    """The versions of before that go, that are written anew, and that become the newest of their keys or no longer are.

    As `objects.find` says.
    """
    updated = {seq: (mutation.bucket_id, mutation.key) for seq, mutation in effect.updated.items()}
    places = updated | {seq: effect.places[seq] for seq in (*effect.removed, *effect.latest)}
    seqs = list(places)
    values = {
        "seq": seqs,
        "bucket_id": [bucket_id for bucket_id, _ in places.values()],
        "key": [key for _, key in places.values()],
        "becomes_latest": [effect.latest.get(seq) for seq in seqs],
        "goes": [seq not in effect.latest or seq in updated for seq in seqs],
        "counts": [seq in effect.removed or seq in effect.latest for seq in seqs],
    }
    return objects.find(connection, by_column(objects.SOUGHT, values))


def _updated(effect: Effect, found: pa.Table) -> pa.Table:
    """Versions with new attributes, as rows of `objects`."""
    mutations = list(effect.updated.values())
    latest = dict(zip(found["seq"].to_pylist(), found["is_latest"].to_pylist(), strict=True)) if mutations else {}
    latest |= effect.latest
    return objects.table(
        *_places(mutations),
        [mutation.version for mutation in mutations],
        [latest.get(seq, False) for seq in effect.updated],
    )
