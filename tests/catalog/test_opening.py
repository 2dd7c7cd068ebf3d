"""A data folder is opened in every state it can be left in: the state is found, or the folder refused."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from catalog import Catalog
from catalog.database.applier import apply, of_one_day
from catalog.database.connection import open_database
from catalog.database.follower import Follower
from catalog.database.tables import applied
from catalog.errors import CatalogUnusable, NoObject
from catalog.folder import Folder
from catalog.index.keys import space_of
from catalog.log import Log, beginning
from catalog.records import Bucket, Origin, Part, Piece, Upload, User, Version

ROOT = Path(__file__).resolve().parents[2]
ORIGIN = Origin()
LONG = "deep/" + "x" * 1000


async def fill(path: Path) -> None:
    """Something of every kind: versions, a null version behind a marker, an upload with parts, a user."""
    catalog = Catalog.open(path)
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    draft = Version(0, "", 0, "e", 5, "STANDARD", "root")
    await catalog.put(ORIGIN, bucket, "a", draft, b"hello")
    bucket = await catalog.update_bucket(
        ORIGIN, "a-bucket", lambda held: msgspec.structs.replace(held, versioning="Enabled")
    )
    for key in ("a", "b", LONG, LONG):
        await catalog.put(ORIGIN, bucket, key, draft, key.encode())
    blob = Piece(9, blob=bytes(16))
    await catalog.put(ORIGIN, bucket, "large", msgspec.structs.replace(draft, body=blob))
    parts = [Part(number, 9, "e", 0, blob) for number in (1, 2)]
    await catalog.put(ORIGIN, bucket, "completed", msgspec.structs.replace(draft, parts=parts))
    await catalog.delete(ORIGIN, bucket, "a")
    upload = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "up", 0, "root"))
    await catalog.put_part(ORIGIN, bucket, "up", upload.upload_id, Part(1, 4, "e", 0, None), b"part")
    catalog.create_user(ORIGIN, User("id", "ann", "AK", "SK"))
    await catalog.close()


def everything(catalog: Catalog) -> dict[str, object]:
    """All that can be read of it, with the inner tables of the index."""
    index = catalog._index
    with index.read() as txn:
        tables = {
            name: sorted(txn.cursor(db=table))
            for name, table in {
                "blobs": index.blobs,
                "segments": index.segments,
                "parts": index.parts,
                "composed": index.composed,
            }.items()
        }
    bucket = catalog.bucket("a-bucket")
    return {
        **tables,
        "bucket": bucket,
        "versions": catalog.list_versions(bucket).items,
        "uploads": catalog.list_uploads(bucket).items,
        "users": catalog.users(),
        "end": catalog.end().seq,
        "null": catalog.get(bucket, "a", "null"),
        "bodies": [catalog.read(catalog.get(bucket, key).body or Piece(0)) for key in ("b", LONG)],
    }


def into_database(path: Path, limit: int = 10**6) -> None:
    """What the catalog process would do with the first `limit` records."""
    catalog = Catalog.open(path)
    tail = catalog.tail()
    connection = open_database(path)
    if applied.identity(connection) is None:
        applied.begin(connection, tail.catalog_id, beginning(tail.catalog_id))
    position, end = applied.position(connection), tail.end()
    last = min(position.seq + limit, end.seq)
    while position.seq < last:
        records, _ = tail.read(position, end, last - position.seq)
        records, position = tail.read(position, end, of_one_day(records))
        apply(connection, records, position)
    connection.close()
    catalog.release()


def another_boot(path: Path) -> None:
    """After a power cut: nobody could put the index to rest."""
    (path / "index" / "boot").write_text("of another boot")
    (path / "index" / "rest").unlink(missing_ok=True)


def no_index(path: Path) -> None:
    shutil.rmtree(path / "index")


def torn_index(path: Path) -> None:
    (path / "index" / "data.mdb").write_bytes(b"nonsense" * 1000)


def truncated_index(path: Path) -> None:
    file = path / "index" / "data.mdb"
    os.truncate(file, file.stat().st_size // 2 // 4096 * 4096)


def stale_index(path: Path) -> None:
    """As if the power cut had taken back what the page cache had: the index is older than the log."""
    catalog = Catalog.open(path)
    with catalog._index.write() as txn:
        end = catalog._index.end(txn)
        txn.put(b"end", msgspec.msgpack.encode(msgspec.structs.replace(end, chain=1)), db=catalog._index.meta)
    catalog.release()


@pytest.mark.parametrize("spoil", [another_boot, no_index, torn_index, truncated_index, stale_index])
@pytest.mark.parametrize("applied_records", [None, 0, 5, 10**6])
async def test_a_lost_index_is_made_anew(
    tmp_path: Path, spoil: Callable[[Path], None], applied_records: int | None
) -> None:
    await fill(tmp_path)
    if applied_records is not None:
        into_database(tmp_path, applied_records)
    catalog = Catalog.open(tmp_path)
    before = everything(catalog)
    catalog.release()
    spoil(tmp_path)
    catalog = Catalog.open(tmp_path)
    assert everything(catalog) == before
    (tmp_path / "index" / "witness").touch()
    catalog.release()
    catalog = Catalog.open(tmp_path)
    assert (tmp_path / "index" / "witness").exists()
    bucket = catalog.bucket("a-bucket")
    await catalog.put(ORIGIN, bucket, "after", Version(0, "", 0, "e", 5, "STANDARD", "root"), b"after")
    assert catalog.get(bucket, "after").seq == catalog.end().seq
    await catalog.close()


async def test_an_index_put_to_rest_is_believed_after_another_boot(tmp_path: Path) -> None:
    await fill(tmp_path)
    (tmp_path / "index" / "boot").write_text("of another boot")
    (tmp_path / "index" / "witness").touch()
    catalog = Catalog.open(tmp_path)
    assert (tmp_path / "index" / "witness").exists()
    assert not (tmp_path / "index" / "rest").exists()
    assert len(catalog.list_versions(catalog.bucket("a-bucket")).items) == 8
    catalog.release()


async def test_an_index_of_another_catalog_is_not_believed(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    await fill(mine)
    empty = Catalog.open(other)
    await empty.create_bucket(ORIGIN, "elsewhere", "root", "us-east-1")
    await empty.close()
    shutil.rmtree(mine / "index")
    shutil.copytree(other / "index", mine / "index")
    catalog = Catalog.open(mine)
    assert [bucket.name for bucket in catalog.buckets(None)] == ["a-bucket"]
    catalog.release()


async def test_a_database_of_another_catalog_is_refused(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    for path in (mine, other):
        await fill(path)
        into_database(path)
    shutil.copy(other / "catalog.duckdb", mine / "catalog.duckdb")
    shutil.rmtree(mine / "index")
    with pytest.raises(CatalogUnusable, match="different catalogs"):
        Catalog.open(mine)


async def test_a_log_without_what_the_database_lacks_is_refused(tmp_path: Path) -> None:
    await fill(tmp_path)
    into_database(tmp_path, 3)
    shutil.rmtree(tmp_path / "index")
    (tmp_path / "log" / f"{1:016x}.log").rename(tmp_path / "log" / f"{2:016x}.log")
    with pytest.raises(CatalogUnusable):
        Catalog.open(tmp_path)


async def test_a_log_that_is_gone_is_refused(tmp_path: Path) -> None:
    await fill(tmp_path)
    into_database(tmp_path)
    shutil.rmtree(tmp_path / "index")
    shutil.rmtree(tmp_path / "log")
    with pytest.raises(CatalogUnusable, match="no segment"):
        Catalog.open(tmp_path)


@pytest.mark.parametrize("size", [0, 1024 * 1024])
def test_a_first_start_that_the_power_cut_short_is_made_again(tmp_path: Path, size: int) -> None:
    """The first segment has a name, and nothing in it reached the disk."""
    (tmp_path / "log").mkdir()
    (tmp_path / "log" / f"{1:016x}.log").write_bytes(bytes(size))
    catalog = Catalog.open(tmp_path)
    assert catalog.end().seq == 0
    catalog.release()
    assert Log.catalog_of(tmp_path / "log") == catalog.tail().catalog_id


async def test_a_first_segment_without_header_but_with_records_is_refused(tmp_path: Path) -> None:
    await fill(tmp_path)
    shutil.rmtree(tmp_path / "index")
    with (tmp_path / "log" / f"{1:016x}.log").open("r+b") as file:
        file.write(bytes(64))
    with pytest.raises(CatalogUnusable, match="no segment"):
        Catalog.open(tmp_path)


async def put_more(path: Path, count: int) -> None:
    catalog = Catalog.open(path)
    bucket = catalog.bucket("a-bucket")
    for number in range(count):
        await catalog.put(ORIGIN, bucket, f"more/{number}", Version(0, "", 0, "e", 4, "STANDARD", "root"), b"more")
    await catalog.close()


@pytest.mark.parametrize("applied_records", [None, 5, 10**6])
async def test_an_index_from_before_is_not_believed(tmp_path: Path, applied_records: int | None) -> None:
    """Somebody put an old copy of it back."""
    await fill(tmp_path)
    shutil.copytree(tmp_path / "index", tmp_path / "copy")
    await put_more(tmp_path, 3)
    if applied_records is not None:
        into_database(tmp_path, applied_records)
    shutil.rmtree(tmp_path / "index")
    (tmp_path / "copy").rename(tmp_path / "index")
    catalog = Catalog.open(tmp_path)
    assert [catalog.get(catalog.bucket("a-bucket"), f"more/{number}").size for number in range(3)] == [4, 4, 4]
    catalog.release()


async def test_a_log_from_before_is_refused(tmp_path: Path) -> None:
    """The database has what the log lacks, but not the bodies."""
    await fill(tmp_path)
    shutil.copytree(tmp_path / "log", tmp_path / "copy")
    await put_more(tmp_path, 3)
    into_database(tmp_path)
    shutil.rmtree(tmp_path / "index")
    shutil.rmtree(tmp_path / "log")
    (tmp_path / "copy").rename(tmp_path / "log")
    with pytest.raises(CatalogUnusable, match="does not go on"):
        Catalog.open(tmp_path)


async def test_a_database_from_later_is_refused_where_the_index_is_sound(tmp_path: Path) -> None:
    await fill(tmp_path)
    for name in ("log", "index"):
        shutil.copytree(tmp_path / name, tmp_path / f"{name}-copy")
    await put_more(tmp_path, 3)
    into_database(tmp_path)
    for name in ("log", "index"):
        shutil.rmtree(tmp_path / name)
        (tmp_path / f"{name}-copy").rename(tmp_path / name)
    catalog = Catalog.open(tmp_path)
    with open_database(tmp_path) as connection, pytest.raises(CatalogUnusable, match="of an earlier time"):
        Follower(connection, catalog.tail())
    catalog.release()


@pytest.mark.parametrize("at", [200, 700])
async def test_damage_in_the_middle_of_the_log_is_refused(tmp_path: Path, at: int) -> None:
    await fill(tmp_path)
    shutil.rmtree(tmp_path / "index")
    with (tmp_path / "log" / f"{1:016x}.log").open("r+b") as file:
        file.seek(at)
        file.write(b"\x5a\xa5")
    with pytest.raises(CatalogUnusable, match="damaged"):
        Catalog.open(tmp_path)


@pytest.mark.parametrize("index_too", [False, True])
async def test_a_segment_in_which_bodies_live_is_missed(tmp_path: Path, index_too: bool) -> None:
    """Wholly applied, it is read for nothing but its bodies."""
    await fill(tmp_path)
    catalog = Catalog.open(tmp_path)
    catalog._log.segment_size = 512 * 1024
    bucket = catalog.bucket("a-bucket")
    while catalog.end().segment < 3:
        await catalog.put(ORIGIN, bucket, "filler", Version(0, "", 0, "e", 60_000, "STANDARD", "root"), bytes(60_000))
    await catalog.close()
    into_database(tmp_path)
    (tmp_path / "log" / f"{1:016x}.log").unlink()
    if index_too:
        shutil.rmtree(tmp_path / "index")
    with pytest.raises(CatalogUnusable, match=r"0000000000000001\.log missing"):
        Catalog.open(tmp_path)


@pytest.mark.parametrize("left", ["index", "blobs"])
async def test_a_folder_whose_log_is_gone_is_not_taken_for_a_new_one(tmp_path: Path, left: str) -> None:
    await fill(tmp_path)
    (tmp_path / "blobs" / "00").mkdir(parents=True)
    (tmp_path / "blobs" / "00" / bytes(16).hex()).touch()
    for name in {"log", "index", "blobs"} - {left}:
        shutil.rmtree(tmp_path / name)
    with pytest.raises(CatalogUnusable, match="no segment"):
        Catalog.open(tmp_path)


async def test_an_index_deleted_under_a_running_process_is_not_made_anew(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    shutil.rmtree(tmp_path / "index")
    with pytest.raises(CatalogUnusable, match="another process"):
        Catalog.open(tmp_path)
    assert Folder(tmp_path).in_use()
    await catalog.close()
    catalog = Catalog.open(tmp_path)
    assert [bucket.name for bucket in catalog.buckets(None)] == ["a-bucket"]
    catalog.release()


async def test_segments_without_life_are_dropped_once_applied(tmp_path: Path) -> None:
    catalog = Catalog.open(tmp_path)
    catalog._log.segment_size = 512 * 1024
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    draft = Version(0, "", 0, "e", 60_000, "STANDARD", "root")
    for number in range(40):
        await catalog.put(ORIGIN, bucket, f"k{number % 10}", draft, bytes(60_000))
    segments = catalog._log.segments()
    tail = catalog.tail()
    assert tail.drop_dead_segments(catalog.end()) == [segments[0]] + [
        segment for segment in segments[1:] if segment not in catalog._log.segments()
    ]
    assert len(catalog._log.segments()) < len(segments)
    for number in range(10):
        held: Bucket = bucket
        body = catalog.get(held, f"k{number}").body
        assert body is not None
        assert catalog.read(body) == bytes(60_000)
    await catalog.delete(ORIGIN, bucket, "k0")
    with pytest.raises(NoObject):
        catalog.get(bucket, "k0")
    await catalog.close()


async def test_what_was_never_acknowledged_does_not_come_to_life_later(tmp_path: Path) -> None:
    """A process died between the log and the index; the next saw nothing of its write; then the index was lost."""
    catalog = Catalog.open(tmp_path)
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    end = catalog.end()
    await catalog.put(ORIGIN, bucket, "ghost", Version(0, "", 0, "e", 5, "STANDARD", "root"), b"hello")
    with catalog._index.write() as txn:
        txn.delete(space_of(bucket.id) + b"ghost", db=catalog._index.objects)
        catalog._index.set_end(txn, end, end.offset)
    catalog.release()
    catalog = Catalog.open(tmp_path)
    with pytest.raises(NoObject):
        catalog.get(bucket, "ghost")
    catalog.release()
    no_index(tmp_path)
    catalog = Catalog.open(tmp_path)
    with pytest.raises(NoObject):
        catalog.get(bucket, "ghost")
    catalog.release()


async def test_a_folder_of_a_newer_ducket_is_said_to_be_that(tmp_path: Path) -> None:
    await fill(tmp_path)
    with (tmp_path / "log" / f"{1:016x}.log").open("r+b") as file:
        file.seek(8)
        file.write((2).to_bytes(4, "little"))
    for _ in range(2):
        with pytest.raises(CatalogUnusable, match=r"has format 2 of the commit log.*newer Ducket"):
            Catalog.open(tmp_path)
        another_boot(tmp_path)
    assert (tmp_path / "index" / "data.mdb").exists()


def test_an_index_that_only_this_process_cannot_map_is_left_as_it_is(tmp_path: Path) -> None:
    """With the database lost too, nothing else could say what there is."""
    asyncio.run(fill(tmp_path))
    (tmp_path / "catalog.duckdb").unlink(missing_ok=True)
    before = (tmp_path / "index" / "data.mdb").read_bytes()
    limited = (
        "import resource; resource.setrlimit(resource.RLIMIT_AS, (1 << 36, 1 << 36))\n"
        f"from pathlib import Path; from catalog import Catalog; Catalog.open(Path({str(tmp_path)!r}))"
    )
    done = subprocess.run([sys.executable, "-c", limited], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1 and "CatalogUnusable" in done.stderr and "ulimit -v" in done.stderr
    assert (tmp_path / "index" / "data.mdb").read_bytes() == before
