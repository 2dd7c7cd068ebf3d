"""Bodies move out of segments that are mostly dead, and nobody can tell but by the room on the disk."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from catalog import Catalog, compaction
from catalog.compaction import Compaction
from catalog.database.applier import apply
from catalog.database.connection import open_database
from catalog.database.tables import applied
from catalog.errors import SourceChanged
from catalog.index import composed
from catalog.log import Log, beginning
from catalog.records import BodyMoved, Bucket, Checksum, Origin, Part, Piece, Position, Upload, Version

ORIGIN = Origin()
DRAFT = Version(0, "", 0, "e", 0, "STANDARD", "root", Checksum("CRC32", "AAAAAA=="), metadata={"a": "b"})
LONG = "deep/" + "x" * 1000


class Killed(BaseException):
    """As if the process had ended there."""


def content(name: str, size: int = 40_000) -> bytes:
    return random.Random(name).randbytes(size)


async def put(catalog: Catalog, bucket: Bucket, key: str, name: str, size: int = 40_000) -> Version:
    draft = msgspec.structs.replace(DRAFT, size=size)
    return await catalog.put(ORIGIN, bucket, key, draft, content(name, size))


async def versioning(catalog: Catalog, name: str, state: str) -> Bucket:
    return await catalog.update_bucket(ORIGIN, name, lambda held: msgspec.structs.replace(held, versioning=state))


async def filled(path: Path) -> Catalog:
    """Segments full of bodies that died, and here and there among them every kind of one that lives."""
    catalog = Catalog.open(path)
    plain = await catalog.create_bucket(ORIGIN, "plain", "root", "us-east-1")
    await catalog.create_bucket(ORIGIN, "versioned", "root", "us-east-1")
    await put(catalog, await versioning(catalog, "versioned", ""), "of-before", "null")
    versioned = await versioning(catalog, "versioned", "Enabled")
    await put(catalog, plain, "alone", "alone")
    await put(catalog, plain, LONG, "long")
    await put(catalog, plain, "nul\0in key", "nul", 1)
    await churn(catalog, plain)
    source = await put(catalog, plain, "original", "shared")
    for key in ("copy", "another"):
        copy = msgspec.structs.replace(source)
        await catalog.put(ORIGIN, plain, key, copy, source=(plain.id, "original", source))
    gone = await put(catalog, plain, "gone", "copied and gone")
    await catalog.put(ORIGIN, versioned, "heir", gone, source=(plain.id, "gone", gone))
    await catalog.delete(ORIGIN, plain, "gone")
    for number in range(3):
        await put(catalog, versioned, "many", f"many {number}")
    await put(catalog, versioned, "of-before", "current")
    await put(catalog, versioned, "under-marker", "under marker")
    await catalog.delete(ORIGIN, versioned, "under-marker")
    tagged = await put(catalog, plain, "tagged", "tagged")
    await catalog.update_version(
        ORIGIN, plain, "tagged", None, lambda held: msgspec.structs.replace(held, tags={"t": str(tagged.seq)})
    )
    await churn(catalog, plain)
    await uploads(catalog, plain)
    await churn(catalog, plain, 120)
    return catalog


async def churn(catalog: Catalog, bucket: Bucket, times: int = 60) -> None:
    for number in range(times):
        await put(catalog, bucket, "churned", f"churned {number}", 60_000)


async def uploads(catalog: Catalog, bucket: Bucket) -> None:
    """One under way, with a part that was put twice; one completed of a large body and a small one, and its copy."""
    under_way = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "under-way", 0, "root"))
    for number, name in ((1, "replaced"), (1, "part one"), (7, "part seven")):
        part = Part(number, 40_000, "e", 0, None)
        await catalog.put_part(ORIGIN, bucket, "under-way", under_way.upload_id, part, content(name))
    done = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "done", 0, "root"))
    large = Part(1, 9, "e", 0, Piece(9, blob=bytes(16)))
    parts = [
        await catalog.put_part(ORIGIN, bucket, "done", done.upload_id, large),
        await catalog.put_part(
            ORIGIN, bucket, "done", done.upload_id, Part(2, 40_000, "e", 0, None), content("last part")
        ),
    ]
    draft = msgspec.structs.replace(DRAFT, size=40_009, parts=parts, upload_id=done.upload_id)
    version = await catalog.put(ORIGIN, bucket, "done", draft, upload_id=done.upload_id)
    copy = catalog.whole(version)
    await catalog.put(ORIGIN, bucket, "done-copy", copy, source=(bucket.id, "done", version))


def everything(catalog: Catalog) -> dict[object, object]:
    """All that can be seen of it, with every body's bytes, and nothing of where they lie."""
    seen: dict[object, object] = {}
    index = catalog._index
    with index.read() as txn:
        for table in (index.uploads, index.nulls, index.blobs, index.buckets):
            seen[len(seen)] = list(txn.cursor(db=table))
    for version in all_versions(catalog):
        seen[version.seq] = (shown(version), [bytes_of(catalog, piece) for piece in composed.pieces_of(version)])
    bucket = catalog.bucket("plain")
    for upload in catalog.list_uploads(bucket).items:
        for part in catalog.parts(bucket, "under-way", upload.upload_id):
            assert part.piece is not None
            seen[part.number, upload.upload_id] = (shown_part(part), bytes_of(catalog, part.piece))
    return seen


def all_versions(catalog: Catalog) -> Iterator[Version]:
    from catalog.index.entries import version_of

    index = catalog._index
    with index.read() as txn:
        for table in (index.objects, index.versions):
            for _, entry in list(txn.cursor(db=table)):
                yield composed.whole(index, txn, version_of(entry))


def shown(version: Version) -> Version:
    parts = version.parts
    if isinstance(parts, list):
        parts = [shown_part(part) for part in parts]
    return msgspec.structs.replace(version, body=None, parts=parts)


def shown_part(part: Part) -> Part:
    return msgspec.structs.replace(part, piece=None)


def bytes_of(catalog: Catalog, piece: Piece) -> bytes:
    return piece.blob if piece.blob is not None else catalog.read(piece)


def counts(catalog: Catalog) -> dict[int, tuple[int, int]]:
    """What the index says of each segment in which something lives, checked against who names bodies in it."""
    held: dict[int, tuple[int, int]] = {}
    index = catalog._index
    with index.read() as txn:
        segments = [int.from_bytes(key, "big") for key, _ in txn.cursor(db=index.segments)]
        said = {segment: index.living(txn, segment) for segment in segments}
        parts = [msgspec.msgpack.decode(raw, type=Part).piece for _, raw in txn.cursor(db=index.parts)]
    for piece in [*(each for version in all_versions(catalog) for each in composed.pieces_of(version)), *parts]:
        if piece is not None and piece.segment:
            count, size = held.get(piece.segment, (0, 0))
            held[piece.segment] = (count + 1, size + piece.size)
    assert {segment: count for segment, count in said.items() if count[0]} == held
    return held


def into_database(catalog: Catalog) -> Position:
    """As the catalog process does it."""
    tail = catalog.tail()
    with open_database(catalog.folder.path) as connection:
        if applied.identity(connection) is None:
            applied.begin(connection, tail.catalog_id, beginning(tail.catalog_id))
        position, end = applied.position(connection), tail.end()
        if position.seq < end.seq:
            records, position = tail.read(position, end, 10**6)
            apply(connection, records, position)
        return position


def compact(catalog: Catalog) -> int:
    """Until there is no more to do; the bytes moved."""
    position = into_database(catalog)
    work = Compaction(catalog._index, catalog._log)
    moved = 0
    for _ in range(3):  # rounds
        while (step := work.step(position)) is not None:
            moved += step
    work.close()
    return moved


def reopened(catalog: Catalog) -> Catalog:
    catalog.release()
    return Catalog.open(catalog.folder.path)


async def test_nothing_changes_but_the_room_on_the_disk(tmp_path: Path) -> None:
    catalog = await filled(tmp_path)
    before, segments = everything(catalog), catalog._log.segments()
    counts(catalog)
    assert compact(catalog) > 0
    dropped = catalog.tail().drop_dead_segments(into_database(catalog))
    assert len(dropped) >= 3 and set(dropped) <= set(segments)
    assert everything(catalog) == before
    counts(catalog)
    catalog = reopened(catalog)
    assert everything(catalog) == before
    catalog.release()


async def test_an_index_made_anew_after_a_compaction_is_the_same(tmp_path: Path) -> None:
    """With all moves in the database, with none of them, and the segments gone in both."""
    catalog = await filled(tmp_path)
    before = everything(catalog)
    compact(catalog)
    catalog.tail().drop_dead_segments(applied_position(tmp_path))
    for _ in range(2):
        catalog.release()
        shutil.rmtree(tmp_path / "index")
        catalog = Catalog.open(tmp_path)
        assert everything(catalog) == before
        counts(catalog)
        catalog.tail().drop_dead_segments(into_database(catalog))
    catalog.release()


def applied_position(path: Path) -> Position:
    with open_database(path) as connection:
        return applied.position(connection)


async def test_copies_go_on_sharing_one_body(tmp_path: Path) -> None:
    catalog = await filled(tmp_path)
    compact(catalog)
    bucket = catalog.bucket("plain")
    assert len({catalog.get(bucket, key).body for key in ("original", "copy", "another")}) == 1
    catalog.release()


async def test_what_lives_and_has_moved_is_left_in_peace(tmp_path: Path) -> None:
    catalog = await filled(tmp_path)
    for _ in range(2):  # what was the last segment at first is full after it
        compact(catalog)
        catalog.tail().drop_dead_segments(into_database(catalog))
    assert compact(catalog) == 0
    catalog.release()


async def test_segments_full_of_tiny_living_bodies_are_left_in_peace(tmp_path: Path) -> None:
    """The records about them take more room than they do, wherever they lie."""
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "plain", "root", "us-east-1")
    await_all = [put(catalog, bucket, f"{number:0500}", "tiny", 1) for number in range(4000)]
    for each in await_all:
        await each
    assert len(catalog._log.segments()) > 1
    assert compact(catalog) == 0
    catalog.release()


async def test_the_database_has_no_mutation_to_show_of_it(tmp_path: Path) -> None:
    catalog = await filled(tmp_path)
    into_database(catalog)
    shown_before = rows(tmp_path)
    end = catalog.end().seq
    compact(catalog)
    into_database(catalog)
    assert catalog.end().seq > end
    assert applied_position(tmp_path).seq == catalog.end().seq
    assert rows(tmp_path) == shown_before
    catalog.release()


def rows(path: Path) -> list[object]:
    with open_database(path) as connection:
        return [
            connection.execute(f"SELECT * EXCLUDE (entry) FROM private.{table} ORDER BY ALL").fetchall()
            for table in ("objects", "parts", "uploads", "buckets")
        ] + [connection.execute("FROM private.journal ORDER BY seq").fetchall()]


async def test_moves_are_applied_in_one_batch_with_what_came_before_and_after(tmp_path: Path) -> None:
    """The database is given everything at once: the puts, the moves, and what was done to moved versions then."""
    catalog = await filled(tmp_path)
    work = Compaction(catalog._index, catalog._log)
    while work.step(catalog.end()) is not None:
        pass
    work.close()
    bucket = catalog.bucket("plain")
    await catalog.update_version(
        ORIGIN, bucket, "alone", None, lambda held: msgspec.structs.replace(held, tags={"later": "1"})
    )
    await catalog.delete(ORIGIN, bucket, LONG)
    before = everything(catalog)
    into_database(catalog)
    catalog.release()
    shutil.rmtree(tmp_path / "index")
    catalog = Catalog.open(tmp_path)
    assert everything(catalog) == before
    counts(catalog)
    catalog.release()


async def test_an_overwrite_or_a_delete_while_a_body_is_on_its_way_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalog = await filled(tmp_path)
    bucket, versioned = catalog.bucket("plain"), catalog.bucket("versioned")
    monkeypatch.setattr(compaction, "MOST_BODIES", 1)
    work, position = Compaction(catalog._index, catalog._log), into_database(catalog)
    while not (work.step(position) or 0):
        pass  # until who lives in a segment is known, and the first has moved
    for key in ("alone", "original", "tagged"):
        await put(catalog, bucket, key, f"new {key}", 100)
    for key in ("copy", LONG):
        await catalog.delete(ORIGIN, bucket, key)
    await catalog.delete(ORIGIN, versioned, "of-before", "null")
    upload = catalog.list_uploads(bucket).items[0].upload_id
    await catalog.put_part(ORIGIN, bucket, "under-way", upload, Part(1, 1, "e", 0, None), b"1")
    before = everything(catalog)
    while work.step(position) is not None:
        pass
    assert everything(catalog) == before
    counts(catalog)
    work.close()
    catalog.release()


async def test_a_copy_of_a_body_that_moves_meanwhile_is_tried_again(tmp_path: Path) -> None:
    catalog = await filled(tmp_path)
    bucket = catalog.bucket("plain")
    source = catalog.get(bucket, "alone")
    assert compact(catalog)
    with pytest.raises(SourceChanged):
        await catalog.put(ORIGIN, bucket, "late", source, source=(bucket.id, "alone", source))
    source = catalog.get(bucket, "alone")
    copy = await catalog.put(ORIGIN, bucket, "late", source, source=(bucket.id, "alone", source))
    assert copy.body is not None and catalog.read(copy.body) == content("alone")
    catalog.release()


async def test_who_looked_a_body_up_before_its_segment_went_looks_again(tmp_path: Path) -> None:
    catalog = await filled(tmp_path)
    bucket = catalog.bucket("plain")
    old = catalog.get(bucket, "alone")
    reader = Log(catalog._log.directory, catalog._log.catalog_id)  # as another process has it
    assert old.body is not None and reader.read_body(old.body, 0, old.size) == content("alone")
    compact(catalog)
    catalog.tail().drop_dead_segments(into_database(catalog))
    assert reader.read_body(old.body, 0, old.size) == content("alone")  # it has the segment open
    with pytest.raises(FileNotFoundError):
        catalog.read(old.body)
    new = catalog.get(bucket, "alone").body
    assert new is not None and catalog.read(new) == content("alone")
    reader.close()
    catalog.release()


async def test_a_damaged_segment_is_left_where_it_is(tmp_path: Path) -> None:
    """Bytes that the disk has broken must not get a new record that says that they are whole."""
    catalog = await filled(tmp_path)
    position = into_database(catalog)
    body = catalog.get(catalog.bucket("plain"), "alone").body
    assert body is not None
    with catalog._log.path(body.segment).open("r+b") as file:
        file.seek(body.offset)
        file.write(b"?")
    work = Compaction(catalog._index, catalog._log)
    while work.step(position) is not None:
        pass
    assert catalog.get(catalog.bucket("plain"), "alone").body == body
    work.close()
    catalog.release()


def kill_before_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr(compaction, "commit", killed)


def kill_before_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr("catalog.log.os.fdatasync", killed)


def kill_after_sync(monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(*_: object) -> None:
        raise Killed

    monkeypatch.setattr("catalog.index.Index.set_end", killed)


def kill_after_commit(monkeypatch: pytest.MonkeyPatch) -> None:
    real = compaction.commit

    def killed(*arguments: object) -> None:
        real(*arguments)  # type: ignore[arg-type]
        raise Killed

    monkeypatch.setattr(compaction, "commit", killed)


@pytest.mark.parametrize("index_lost", [False, True], ids=["index kept", "index lost"])
@pytest.mark.parametrize("kill", [kill_before_commit, kill_before_sync, kill_after_sync, kill_after_commit])
async def test_killed_at_any_step_nothing_is_lost_and_it_is_done_later(
    tmp_path: Path, kill: Callable[[pytest.MonkeyPatch], None], index_lost: bool
) -> None:
    catalog = await filled(tmp_path)
    before, position = everything(catalog), into_database(catalog)
    work = Compaction(catalog._index, catalog._log)
    with pytest.MonkeyPatch.context() as patched:
        while not (work.step(position) or 0):
            pass
        kill(patched)
        with pytest.raises(Killed):
            while work.step(position) is not None:
                pass
    work.close()
    catalog.release()
    if index_lost:
        shutil.rmtree(tmp_path / "index")
    catalog = Catalog.open(tmp_path)
    assert everything(catalog) == before
    counts(catalog)
    compact(catalog)
    dropped = catalog.tail().drop_dead_segments(into_database(catalog))
    assert len(dropped) >= 3
    catalog = reopened(catalog)
    assert everything(catalog) == before
    catalog.release()


async def test_a_move_says_for_whom_and_whence_and_whither(tmp_path: Path) -> None:
    catalog = await filled(tmp_path)
    position = into_database(catalog)
    compact(catalog)
    records, _ = catalog.tail().read(position, catalog.end(), 10**6)
    moves = [record.mutation for _, record in records]
    assert all(isinstance(move, BodyMoved) for move in moves)
    assert len(moves) == len({move.old for move in moves if isinstance(move, BodyMoved)}) > 10
    catalog.release()
