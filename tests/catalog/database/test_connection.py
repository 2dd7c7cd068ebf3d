from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from random import Random

import duckdb
import pytest

from catalog.database import connection as module
from catalog.database.applier import apply
from catalog.database.connection import FILE, migrate, migrations, open_database
from catalog.database.registry import VIEWS
from catalog.errors import CatalogUnusable
from catalog.placing import put_in_place
from tests.catalog.database.history import History, take_step


def test_a_new_database_has_every_migration_and_says_when(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        found = database.execute(
            "SELECT version, name, applied_at FROM private.schema_version ORDER BY version"
        ).fetchall()
    assert [(version, name) for version, name, _ in found] == [(n, name) for n, name, _ in migrations()]
    assert all(applied_at is not None for _, _, applied_at in found)


def test_opening_again_runs_nothing_twice(tmp_path: Path) -> None:
    for _ in range(2):
        with open_database(tmp_path) as database:
            count = database.execute("SELECT count(*) FROM private.schema_version").fetchone()
    assert count == (len(migrations()),)


def test_it_needs_nothing_that_is_not_installed_with_it(tmp_path: Path) -> None:
    """Some of DuckDB's functions want NumPy, which comes with what tests need."""
    without = "import sys; sys.modules['numpy'] = sys.modules['pandas'] = None; "
    opened = f"from catalog.database.connection import *; open_database(Path({str(tmp_path)!r})).close()"
    subprocess.run([sys.executable, "-c", without + opened], check=True)
    assert (tmp_path / FILE).exists()


def test_what_was_written_is_there_after_opening_again(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        database.execute("UPDATE private.applied SET seq = 7")
    with open_database(tmp_path) as database:
        assert database.execute("SELECT seq FROM private.applied").fetchall() == [(7,)]


def test_a_schema_newer_than_the_code_is_refused(tmp_path: Path) -> None:
    with open_database(tmp_path) as database:
        database.execute("INSERT INTO private.schema_version VALUES (999, 'from_the_future', now()::TIMESTAMP)")
    with pytest.raises(CatalogUnusable) as refusal:
        open_database(tmp_path)
    assert "schema version 999" in refusal.value.why
    assert "newer Ducket" in refusal.value.why


def test_a_migration_that_fails_leaves_nothing_behind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    broken = (len(migrations()) + 1, "broken", "CREATE TABLE private.half (a INTEGER); SELECT nonsense;")
    known = [*migrations(), broken]
    monkeypatch.setattr(module, "migrations", lambda: known)
    with pytest.raises(duckdb.Error):
        open_database(tmp_path)
    monkeypatch.undo()
    with open_database(tmp_path) as database:
        assert database.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'half'").fetchone() == (0,)


@pytest.mark.parametrize("seed", range(8))
def test_a_catalog_of_the_first_schema_gets_what_later_ones_keep(seed: int) -> None:
    chance = Random(seed)
    history = History()
    history.create_bucket("b", ["", "Enabled", "Suspended"][seed % 3])
    for _ in range(80):
        take_step(history, chance.randrange(13), chance.randrange(6), chance.randrange(100))
    previous = "SELECT seq, operation, ended, previous FROM private.journal ORDER BY ALL"
    usage = "SELECT * FROM usage ORDER BY ALL"
    places = "SELECT seq, body FROM private.objects UNION ALL SELECT part_number, body FROM private.parts ORDER BY ALL"
    with open_database(None) as database:
        apply(database, history.records, history.position())
        expected = [database.execute(statement).fetchall() for statement in (previous, usage, places)]
        assert all(expected)
        database.execute(
            "DROP TABLE private.usage_recent; DROP TABLE private.usage_settled; DROP TABLE private.usage_changes;"
            "ALTER TABLE private.journal DROP COLUMN previous; ALTER TABLE private.objects DROP COLUMN body;"
            "DROP TABLE private.views; DROP SCHEMA materialised; DROP TABLE private.points;"
            "DROP TABLE private.validations; ALTER TABLE private.parts DROP COLUMN body;"
            "ALTER TABLE private.objects DROP COLUMN object_lock_mode;"
            "ALTER TABLE private.objects DROP COLUMN object_lock_retain_until_date;"
            "ALTER TABLE private.objects DROP COLUMN object_lock_legal_hold_status;"
            "ALTER TABLE private.buckets DROP COLUMN lifecycle;"
            "ALTER TABLE private.buckets DROP COLUMN notification;"
            "ALTER TABLE private.objects DROP COLUMN encryption_status;"
            "ALTER TABLE private.journal DROP COLUMN encryption_status;"
            "ALTER TABLE private.journal DROP COLUMN s3_operation;"
            "DELETE FROM private.schema_version WHERE version > 1"
        )
        migrate(database)
        assert [database.execute(statement).fetchall() for statement in (previous, usage, places)] == expected


def test_a_file_that_is_not_a_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "catalog.duckdb").write_bytes(b"not a database" * 1000)
    with pytest.raises(CatalogUnusable):
        open_database(tmp_path)


def test_the_public_views_show_no_entry_and_no_secret() -> None:
    with open_database(None) as database:
        for view in VIEWS:
            columns = [name for name, *_ in database.execute(f"DESCRIBE {view}").fetchall()]
            assert "entry" not in columns
            assert not any("secret" in name for name in columns)


def test_there_is_no_index_in_the_database() -> None:
    with open_database(None) as database:
        assert database.execute("SELECT count(*) FROM duckdb_indexes()").fetchone() == (0,)


def test_journal_has_the_columns_of_s3_metadata() -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/metadata-tables-schema.html"""
    with open_database(None) as database:
        described = database.execute("DESCRIBE journal").fetchall()
    assert [(name, kind) for name, kind, *_ in described][:21] == [
        ("bucket", "VARCHAR"),
        ("key", "VARCHAR"),
        ("sequence_number", "VARCHAR"),
        ("record_type", "VARCHAR"),
        ("record_timestamp", "TIMESTAMP"),
        ("version_id", "VARCHAR"),
        ("is_delete_marker", "BOOLEAN"),
        ("size", "BIGINT"),
        ("last_modified_date", "TIMESTAMP"),
        ("e_tag", "VARCHAR"),
        ("storage_class", "VARCHAR"),
        ("is_multipart", "BOOLEAN"),
        ("encryption_status", "VARCHAR"),
        ("is_bucket_key_enabled", "BOOLEAN"),
        ("kms_key_arn", "VARCHAR"),
        ("checksum_algorithm", "VARCHAR"),
        ("object_tags", "MAP(VARCHAR, VARCHAR)"),
        ("user_metadata", "MAP(VARCHAR, VARCHAR)"),
        ("requester", "VARCHAR"),
        ("source_ip_address", "VARCHAR"),
        ("request_id", "VARCHAR"),
    ]


def test_a_database_gets_its_name_when_it_is_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / f"{FILE}.new").write_bytes(b"what the power left of one")
    placed = []

    def place(draft: Path, path: Path) -> None:
        assert not path.exists()
        duckdb.connect(str(draft), read_only=True).close()
        put_in_place(draft, path)
        placed.append(path.name)

    monkeypatch.setattr(module, "put_in_place", place)
    for _ in range(2):
        open_database(tmp_path).close()
    assert placed == [FILE]
    assert [path.name for path in tmp_path.iterdir() if path.is_file()] == [FILE]
