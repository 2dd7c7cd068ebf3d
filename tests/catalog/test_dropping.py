from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec
import pytest

from catalog import Catalog, dropping
from catalog.database import bodies
from catalog.database.connection import open_database
from catalog.dropping import Named, nobody
from catalog.records import Bucket, Part, Upload, Version
from tests.catalog.compacting import DRAFT, ORIGIN, churn, content, counts, everything, filled, into_database, put

WRONG = (0).to_bytes(16, "big")


@contextmanager
def asked(path: Path) -> Iterator[Named]:
    """The database, as the catalog process asks it."""
    with open_database(path) as connection:
        yield partial(bodies.in_segment, connection)


async def upload(catalog: Catalog, bucket: Bucket, key: str, *given: bytes | str) -> Version:
    """An upload of parts, each with bytes of its own or those of another object; what it will be completed to."""
    upload_id = (await catalog.create_upload(ORIGIN, bucket, Upload("", 0, key, 0, "root"))).upload_id
    put, parts = partial(catalog.put_part, ORIGIN, bucket, key, upload_id), []
    for number, body in enumerate(given, 1):
        part = Part(number, 40_000, "e", 0, None)
        if isinstance(body, bytes):
            parts.append(await put(part, body))
        else:
            version = catalog.get(bucket, body)
            copied = msgspec.structs.replace(part, piece=version.body)
            parts.append(await put(copied, source=(bucket.id, body, version)))
    return msgspec.structs.replace(DRAFT, size=40_000 * len(parts), parts=parts, upload_id=upload_id)


def falsify(catalog: Catalog) -> list[int]:
    """Let the index count nothing in any segment that is full; those in which something lives."""
    living = [segment for segment in counts(catalog) if segment < catalog.end().segment]
    with catalog._index.write() as txn:
        for segment in living:
            txn.put(segment.to_bytes(8, "big"), WRONG, db=catalog._index.segments)
    return living


def drop(catalog: Catalog, path: Path) -> list[int]:
    position, tail = into_database(catalog), catalog.tail()
    with asked(path) as named:
        dropped = tail.drop_dead_segments(position, named)
    tail.close()
    return dropped


async def test_of_what_is_counted_wrongly_nothing_is_lost(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Versions current and not, parts, what was moved, tagged, copied, and is left of a copy: in many segments."""
    catalog = await filled(tmp_path)
    before, segments, last = everything(catalog), catalog._log.segments(), catalog.end().segment
    living = falsify(catalog)
    dropped = drop(catalog, tmp_path)
    assert everything(catalog) == before
    assert dropped == [each for each in segments if each < last and each not in living] and dropped
    kept = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(kept) == len(living) > 1
    assert all("is counted anew" in told for told in kept)
    assert drop(catalog, tmp_path) == []
    catalog.release()


async def test_the_count_is_right_again_and_the_segment_goes_when_all_in_it_died(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "plain", "root", "us-east-1")
    source = await put(catalog, bucket, "original", "shared")
    await put(catalog, bucket, "alone", "alone")
    await churn(catalog, bucket)  # so that the record of the copy is not in the segment of the body
    await catalog.put(ORIGIN, bucket, "copy", msgspec.structs.replace(source), source=(bucket.id, "original", source))
    await catalog.delete(ORIGIN, bucket, "original")
    await churn(catalog, bucket)
    before = counts(catalog)
    falsify(catalog)
    assert 1 not in drop(catalog, tmp_path)
    assert counts(catalog)[1] == before[1] == (2, 80_000)
    await catalog.delete(ORIGIN, bucket, "copy")
    assert 1 not in drop(catalog, tmp_path)
    await catalog.delete(ORIGIN, bucket, "alone")
    assert 1 in drop(catalog, tmp_path)
    catalog.release()


async def test_what_only_copies_of_an_object_in_parts_name_is_found(tmp_path: Path) -> None:
    """One of one small part, one of two, one copied into an upload under way, one into another that is completed."""
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "plain", "root", "us-east-1")
    for names in ("a", "bc"):
        draft = await upload(catalog, bucket, names, *[content(name) for name in names])
        await catalog.put(ORIGIN, bucket, names, draft, upload_id=draft.upload_id)
    for name in ("d", "e"):
        await put(catalog, bucket, name, name)
    await churn(catalog, bucket)  # so that the records of the copies are not in the segment of the bodies
    for names in ("a", "bc"):
        source = catalog.get(bucket, names)
        copy = msgspec.structs.replace(catalog.whole(source), upload_id=None)
        await catalog.put(ORIGIN, bucket, f"{names} copied", copy, source=(bucket.id, names, source))
    await upload(catalog, bucket, "under way", "d")
    draft = await upload(catalog, bucket, "completed", "e")
    await catalog.put(ORIGIN, bucket, "completed", draft, upload_id=draft.upload_id)
    for name in ("a", "bc", "d", "e"):
        await catalog.delete(ORIGIN, bucket, name)
    await churn(catalog, bucket)
    before = counts(catalog)
    assert before[1] == (5, 200_000)
    falsify(catalog)
    assert 1 not in drop(catalog, tmp_path)
    assert counts(catalog) == before
    catalog.release()


async def test_a_count_that_is_too_low_is_in_nobodys_way(tmp_path: Path) -> None:
    """What dies is one less than none."""
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "plain", "root", "us-east-1")
    for key in ("overwritten", "deleted"):
        await put(catalog, bucket, key, key)
    await churn(catalog, bucket)
    assert falsify(catalog) == [1]
    await put(catalog, bucket, "overwritten", "new")
    await catalog.delete(ORIGIN, bucket, "deleted")
    body = catalog.get(bucket, "overwritten").body
    assert body is not None and catalog.read(body) == content("new")
    catalog.release()


async def test_what_the_database_has_yet_and_was_deleted_since_keeps_nothing(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "plain", "root", "us-east-1")
    await churn(catalog, bucket)
    position = into_database(catalog)
    await put(catalog, bucket, "churned", "the last")
    with asked(tmp_path) as named:
        assert [each for segment in catalog._log.segments() for each in named(segment)]
        assert catalog.tail().drop_dead_segments(position, named)
    catalog.release()


async def test_a_damaged_segment_goes_once_all_of_the_index_was_asked(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "plain", "root", "us-east-1")
    await put(catalog, bucket, "alone", "alone")
    await churn(catalog, bucket, 150)
    for segment, offset in ((1, 100), (2, 0)):
        with catalog._log.path(segment).open("r+b") as file:
            file.seek(offset)
            file.write(b"????")
    before = catalog.get(bucket, "alone")
    falsify(catalog)
    position = catalog.end()  # as where the database was made of the index, for the log cannot be read
    dropped = catalog.tail().drop_dead_segments(position)
    assert 2 in dropped and 1 not in dropped
    assert caplog.text.count("all of the key index is asked") == 2
    assert before.body is not None and catalog.read(before.body) == content("alone")
    await catalog.delete(ORIGIN, bucket, "alone")
    assert 1 in catalog.tail().drop_dead_segments(position)
    catalog.release()


async def test_it_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In steps of a few records, between which others can work."""
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "plain", "root", "us-east-1")
    for number in range(4000):
        await put(catalog, bucket, f"k{number % 5}", "small", 100)
    monkeypatch.setattr(dropping, "SLICE", 100)
    monkeypatch.setattr(dropping, "SLICES", 3)
    position, tail = into_database(catalog), catalog.tail()
    steps = 1
    while not tail.drop_dead_segments(position, nobody):
        steps += 1
    assert steps > 5
    tail.close()
    catalog.release()
