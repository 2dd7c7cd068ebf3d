from __future__ import annotations

import asyncio
import errno
import shutil
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from catalog import Catalog, importing
from catalog.database.client import query
from catalog.errors import CatalogUnusable
from catalog.importing import Imported, import_catalog
from catalog.queries import export, reach
from catalog.queries.points import set_point
from catalog.records import Origin, Piece, User
from tests.catalog.compacting import DRAFT, ORIGIN, compact, counts, everything, filled, put

BLOB = bytes(16)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with every kind of version, and an export beside it: copied by each test."""
    place = tmp_path_factory.mktemp("original")

    async def make() -> None:
        catalog = await filled(place / "data")
        catalog.create_user(Origin("root"), User("u" * 64, "alice", "AKALICE", "very secret"))
        await catalog.put(ORIGIN, catalog.bucket("plain"), "empty", DRAFT)
        await catalog.close()

    asyncio.run(make())
    write_blob(place / "data", BLOB, 9)
    with reach(place / "data") as database:
        set_point(database, "plain", "before", 5)
        database.change_view("add", "mine", "SELECT key FROM objects")
        database.change_view("materialise", "mine", "")
        export(database, place / "export", secrets=True)
    return place


@pytest.fixture
def place(original: Path, tmp_path: Path) -> Path:
    shutil.copytree(original, tmp_path / "place")
    return tmp_path / "place"


def write_blob(data: Path, blob: bytes, size: int) -> Path:
    path = data / "blobs" / blob.hex()[:2] / blob.hex()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))
    return path


def lose(data: Path, *more: str) -> None:
    for name in ("catalog.duckdb", "catalog.duckdb.wal", "index", *more):
        shutil.rmtree(data / name) if (data / name).is_dir() else (data / name).unlink(missing_ok=True)


def held(data: Path) -> tuple[dict[object, object], list[tuple[object, ...]]]:
    """All that S3 shows and all that SQL does."""
    catalog = Catalog.open(data)
    try:
        seen = everything(catalog)
        seen["users"] = catalog.users()
        counts(catalog)
    finally:
        catalog.release()
    views = ("versions", "uploads", "parts", "journal", "usage", "usage_daily", "named_points", "objects")
    return seen, [row for view in views for row in query(data, f"FROM {view} ORDER BY ALL").rows]


def keys(done: Imported) -> set[str]:
    return {each.key for each in done.missing}


async def test_a_lost_catalog_is_as_it_was_to_the_last_write(place: Path) -> None:
    data = place / "data"
    catalog = Catalog.open(data)
    end = catalog.end().seq
    await put(catalog, catalog.bucket("plain"), "since", "since")
    await catalog.delete(ORIGIN, catalog.bucket("plain"), "alone")
    await catalog.close()
    before = held(data)
    lose(data)
    done = import_catalog(place / "export", data)
    assert (done.as_of_export, done.exported, done.seq, done.users) == (False, end, end + 2, 1)
    assert (done.missing, done.unnamed) == ([], 0)
    assert held(data) == before
    # Rows that were stored are no part of an export: the view of one's own answers anew.
    assert ("since",) in query(data, "FROM mine").rows
    assert not (data / "importing").exists()


async def test_a_log_that_does_not_go_on_gives_what_the_export_has(place: Path) -> None:
    """Bodies are followed to where they moved since."""
    data = place / "data"
    before = held(data)
    catalog = Catalog.open(data)
    late = bytes([7] * 16)
    await catalog.put(ORIGIN, catalog.bucket("plain"), "late", msgspec.structs.replace(DRAFT, body=Piece(5, blob=late)))
    for number in range(400):
        await put(catalog, catalog.bucket("plain"), "passing", f"passing {number}", 60_000)
    assert compact(catalog) and catalog.tail().drop_dead_segments(catalog.end())
    assert min(catalog._log.segments()) > 4  # in which the export ends
    last = catalog.end().seq
    await catalog.close()
    write_blob(data, late, 5)
    lose(data)
    assert_refused(place, "does not go on from the export")
    done = import_catalog(place / "export", data, as_of_export=True)
    assert (done.as_of_export, done.missing) == (True, []) and done.seq > last
    assert (data / "unnamed" / late.hex()).exists() and done.unnamed == 1
    assert held(data) == before
    await goes_on(data, done.seq)


async def goes_on(data: Path, last: int) -> None:
    catalog = Catalog.open(data)
    made = await put(catalog, catalog.bucket("plain"), "goes on", "goes on")
    assert made.seq == last + 1 and made.body is not None
    assert len(catalog.read(made.body)) == 40_000
    await catalog.close()
    assert query(data, "SELECT seq FROM objects WHERE key = 'goes on'").rows == [(last + 1,)]


async def test_of_a_log_that_is_lost_the_large_bodies_are_left(place: Path) -> None:
    data = place / "data"
    versions, end = query(data, "SELECT key, version_id FROM versions").rows, held(data)[1]
    lose(data, "log")
    done = import_catalog(place / "export", data, as_of_export=True)
    assert {(each.key, each.version_id) for each in done.missing if each.version_id} == {
        (key, version_id) for key, version_id in versions if key not in ("empty", "gone")
    } - {(key, version_id) for key, version_id in query(data, "SELECT key, version_id FROM versions").rows}
    assert [each.key for each in done.missing if each.upload_id] == ["under-way"]
    left = query(data, "SELECT key, is_delete_marker FROM versions ORDER BY ALL").rows
    assert left == [("empty", False), ("under-marker", True)] and end
    assert query(data, "SELECT key FROM uploads").rows == [("asks",)]  # it had no part to lose
    removed = query(data, "SELECT count(*) FROM journal WHERE seq > $1".replace("$1", str(done.exported))).rows
    assert removed == [(len(done.missing),)] and done.seq == done.exported + len(done.missing)
    # Of the object of parts one is gone, and with it nothing names the other.
    assert done.unnamed == 1 and (data / "unnamed" / BLOB.hex()).exists()
    await goes_on(data, done.seq)


def test_a_large_body_that_is_gone_or_cut_is_told_of(place: Path) -> None:
    data = place / "data"
    path = write_blob(data, BLOB, 8)
    lose(data)
    done = import_catalog(place / "export", data)
    assert keys(done) == {"done", "done-copy"} and not done.as_of_export
    path.unlink()
    lose(data)
    done = import_catalog(place / "export", data, as_of_export=True)
    assert keys(done) == {"done", "done-copy"} and not done.as_of_export
    assert query(data, "SELECT count(*) FROM objects WHERE key LIKE 'done%'").rows == [(2,)]


async def test_a_lost_segment_of_before_the_export(place: Path) -> None:
    data = place / "data"
    lose(data)
    (data / "log" / f"{1:016x}.log").unlink()
    assert_refused(place, "bodies of objects lie there")
    done = import_catalog(place / "export", data, as_of_export=True)
    assert done.as_of_export and {"alone", "of-before"} <= keys(done)
    assert not keys(done) & {"tagged", "many", "done"}
    await goes_on(data, done.seq)


def test_users_come_back_only_where_the_export_has_them(place: Path) -> None:
    data = place / "data"
    with reach(data) as database:
        export(database, place / "open")
    lose(data)
    assert import_catalog(place / "open", data).users == 0
    lose(data)
    assert import_catalog(place / "export", data).users == 1
    assert b"very secret" not in b"".join(path.read_bytes() for path in (place / "open").rglob("*.parquet"))


def test_it_begins_again_where_it_was_broken_off(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = place / "data"
    before = held(data)

    def fails(draft: Path, path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    lose(data)
    monkeypatch.setattr(importing, "put_in_place", fails)
    with pytest.raises(OSError, match="No space left"):
        import_catalog(place / "export", data)
    monkeypatch.undo()
    assert not (data / "catalog.duckdb").exists() and not (data / "importing").exists()
    import_catalog(place / "export", data)
    assert held(data) == before


def test_what_cannot_be_imported_is_refused(place: Path, tmp_path: Path) -> None:
    data = place / "data"
    assert_refused(place, "holds a catalog")
    lose(data, "index")
    (data / "catalog.duckdb").touch()
    assert_refused(place, "holds a catalog")
    lose(data)
    assert_refused(place, "holds no tables", export="nothing")
    with pytest.raises(CatalogUnusable, match="holds no bodies"):
        import_catalog(place / "export", tmp_path)
    (place / "export" / "tables" / "objects.parquet").write_bytes(b"PAR1")
    assert_refused(place, "objects.parquet cannot be read")
    strange = place / "export" / "tables" / "objects; DROP TABLE private.parts.parquet"
    (place / "export" / "tables" / "objects.parquet").rename(strange)
    assert_refused(place, "is no table of a catalog")
    newer = pa.table({"version": [1, 999], "name": ["a", "b"], "applied_at": pa.nulls(2, pa.timestamp("us"))})
    parquet.write_table(newer, place / "export" / "tables" / "schema_version.parquet")
    assert_refused(place, "newer Ducket")


async def test_an_export_of_another_catalog_is_refused(place: Path, tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path / "other")
    await catalog.create_bucket(ORIGIN, "b", "root", "us-east-1")
    await catalog.close()
    with reach(tmp_path / "other") as database:
        export(database, place / "other")
        export(database, place / "bucket", "b")
    lose(place / "data")
    assert_refused(place, "different catalogs", export="other")
    assert_refused(place, "holds no tables", export="bucket")


def test_tables_are_in_order_of_sequence_numbers_again(place: Path) -> None:
    data = place / "data"
    path = place / "export" / "tables" / "objects.parquet"
    parquet.write_table(parquet.read_table(path).sort_by([("seq", "descending")]), path)
    lose(data)
    import_catalog(place / "export", data)
    with duckdb.connect(str(data / "catalog.duckdb"), read_only=True) as database:
        seqs = [seq for (seq,) in database.execute("SELECT seq FROM private.objects").fetchall()]
    assert seqs == sorted(seqs) and len(seqs) > 10


def assert_refused(place: Path, why: str, export: str = "export") -> None:
    names = sorted(path.name for path in (place / "data").iterdir() if not path.name.endswith(".lock"))
    with pytest.raises(CatalogUnusable) as refusal:
        import_catalog(place / export, place / "data")
    assert why in refusal.value.why
    left = sorted(path.name for path in (place / "data").iterdir() if not path.name.endswith(".lock"))
    assert left == names
