"""Bodies move out of segments that are mostly dead, and nobody can tell but by the room on the disk."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from catalog import Catalog, compaction, holders
from catalog.compaction import Compaction
from catalog.database.connection import open_database
from catalog.database.tables import applied
from catalog.errors import SourceChanged
from catalog.log import Log
from catalog.records import BodyMoved, Part, Position
from tests.catalog.compacting import (
    LONG,
    ORIGIN,
    compact,
    content,
    counts,
    everything,
    filled,
    into_database,
    put,
    reopened,
)


class Killed(BaseException):
    """As if the process had ended there."""


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
    """All that tables hold but where bodies lie."""
    shown = "COLUMNS(lambda name: name NOT IN ('entry', 'body'))"
    with open_database(path) as connection:
        return [
            connection.execute(f"SELECT {shown} FROM private.{table} ORDER BY ALL").fetchall()
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


@pytest.mark.parametrize("read", ["weighed", "looked through"])
async def test_a_segment_that_is_dropped_and_cut_meanwhile_is_not_damaged(
    tmp_path: Path, read: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(compaction, "FRAMES" if read == "weighed" else "SLICE", 1)
    catalog = await filled(tmp_path)
    position, tail = into_database(catalog), catalog.tail()
    steps = Compaction(catalog._index, catalog._log)
    (first, *_) = steps._sparse(position)
    if read == "looked through":
        list(steps._weigh(first))
    working = steps._empty(first, position)
    next(working)
    path = catalog._log.path(first)
    with path.open("rb+") as file:
        path.unlink()
        file.truncate(4096)
        assert sum(working) == 0
    assert not caplog.records
    assert first not in steps._damaged
    steps.close()
    tail.close()
    await catalog.close()


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


async def test_a_segment_of_small_bodies_that_live_is_not_looked_up_in_the_index(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its bodies are less than half of it, for what is said of each takes more than the body."""
    looked_up: list[int] = []
    real = holders.confirm

    def counting(index: object, txn: object, suspected: Any, segment: int, bodies: Any) -> None:
        looked_up.append(len(suspected))
        real(index, txn, suspected, segment, bodies)  # type: ignore[arg-type]

    monkeypatch.setattr(holders, "confirm", counting)
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "plain", "root", "us-east-1")
    for number in range(8000):
        await put(catalog, bucket, f"{number}", "small", 10)
    assert len(catalog._log.segments()) > 1
    assert compact(catalog) == 0
    assert not looked_up
    for number in range(8000):
        if number % 10:
            await catalog.delete(ORIGIN, bucket, f"{number}")
    assert compact(catalog) > 0
    assert looked_up
    catalog.release()
