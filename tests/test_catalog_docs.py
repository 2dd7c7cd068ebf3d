"""What docs/catalog.md says of the catalog is so: its questions have the answers they should, its columns are there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from catalog import Catalog
from catalog.database.connection import open_database
from catalog.database.follower import Follower
from catalog.database.frames import Rows
from catalog.database.query import Query
from catalog.database.registry import MACROS, VIEWS
from catalog.database.rotation import Rotation
from catalog.lifecycle import Expiration, Filter, Rule
from catalog.records import Origin
from tests.catalog.database.history import ORIGIN, History, MemorySource
from tests.catalog.database.served_rows import hand_over

ROOT = Path(__file__).resolve().parent.parent
DOCS = (ROOT / "docs" / "catalog.md").read_text()
QUESTIONS = dict(re.findall(r"^### (\d+)\. .*?```sql\n(.*?)```", DOCS, re.MULTILINE | re.DOTALL))
EXAMPLES = re.findall(r"^```python\n(.*?)```", DOCS, re.MULTILINE | re.DOTALL)
README_QUESTIONS = re.findall(r"^ducket sql \"(.*?)\"", (ROOT / "README.md").read_text(), re.MULTILINE | re.DOTALL)

HOUR = 3_600_000
DEER = "a" * 64

ANSWERS: dict[str, list[dict[str, Any]]] = {
    "1": [{"prefix": "2025/", "objects": 2, "bytes": 800}, {"prefix": "", "objects": 1, "bytes": 500}],
    "2": [
        {"change": "added", "objects": 2, "bytes": 1000},
        {"change": "changed", "objects": 1, "bytes": 200},
        {"change": "removed", "objects": 1, "bytes": -200},
    ],
    "3": [{"bytes_wasted": 500, "objects": 2, "some": ["2025/copy.jpg", "top.jpg"]}],
    "4": [{"key": "2025/cat.jpg", "size": 200}, {"key": "2025/dog.jpg", "size": 300}],
    "5": [{"record_timestamp": "2025-10-10 20:53:20", "requester": DEER, "source_ip_address": "192.0.2.1"}],
    "6": [{"owner": "wanda", "objects": 4, "bytes": 1400}],
    "7": [
        {"bucket": "logs", "bytes": 100, "noncurrent_versions": 0, "noncurrent_bytes": 0, "delete_markers": 0},
        {"bucket": "photos", "bytes": 1300, "noncurrent_versions": 2, "noncurrent_bytes": 300, "delete_markers": 1},
    ],
    "8": [{"bucket": "photos", "key": "film.mov", "initiated": "2025-10-11 08:53:20", "parts": 2, "bytes": 12}],
    "9": [
        {"day": "2025-10-09", "bytes": 300, "growth": None},
        {"day": "2025-10-10", "bytes": 300, "growth": 0},
        {"day": "2025-10-11", "bytes": 800, "growth": 500},
        {"day": "2025-10-12", "bytes": 1300, "growth": 500},
    ],
    "10": [{"bucket": "photos", "key": "2025/dog.jpg", "size": 300}],
    "11": [{"time": "2025-10-12 08:00:00", "requester": DEER, "remote_ip": "192.0.2.7", "user_agent": "aws-cli"}],
    "12": [
        {"key": "2025/copy.jpg", "size": 500, "last_read": None},
        {"key": "top.jpg", "size": 500, "last_read": None},
        {"key": "2025/dog.jpg", "size": 300, "last_read": "2025-10-12 08:00:00"},
    ],
    "13": [
        {
            "record_timestamp": "2025-10-10 20:53:20",
            "requester": DEER,
            "remote_ip": "192.0.2.1",
            "operation": "DeleteObject",
            "user_agent": "a script",
        }
    ],
    "14": [{"rule_id": "old", "objects": 2, "bytes": 1000}, {"rule_id": "2025", "objects": 1, "bytes": 300}],
    "15": [{"rule_id": "old", "operation": "VersionRemoved", "removed": 1}],
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def database(data: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """One mutation every six hours, from 2025-10-09 08:53:20 on."""
    history = History(pause=6 * HOUR)
    photos = history.create_bucket("photos", "Enabled").id
    history.put(photos, "2025/dog.jpg", 100)
    history.put(photos, "2025/cat.jpg", 200)
    history.put(photos, "2025/dog.jpg", 300)
    logs = history.create_bucket("logs").id
    history.put(logs, "today.log", 100)
    history.delete(photos, "2025/cat.jpg")
    top = history.put(photos, "top.jpg", 500)
    upload = history.create_upload(photos, "film.mov").upload_id
    history.put_part(upload, 1, 7)
    history.put_part(upload, 2, 5)
    history.put(photos, "2025/copy.jpg", 500, etag=top.etag)
    history.remove_version(photos, "old.tmp", history.put(photos, "old.tmp", 900).seq)
    seq, removal = history.records[-1]
    history.records[-1] = seq, msgspec.structs.replace(removal, origin=Origin("ducket:lifecycle", request_id="old"))
    history.give_rules(
        photos,
        Rule("Enabled", "2025", filter=Filter("2025/"), expiration=Expiration(days=30)),
        Rule("Enabled", "old", filter=Filter(object_size_greater_than=400), expiration=Expiration(days=1)),
    )
    with open_database(data) as database:
        Follower(database, MemorySource(history)).catch_up()
        yield database


@pytest.fixture(scope="module")
def rotation(data: Path) -> Rotation:
    """A delete by its request, and two reads of a dog."""
    deleting = {"request_id": ORIGIN.request_id, "key": "2025/cat.jpg", "operation": "DeleteObject"}
    reading = {"key": "2025/dog.jpg", "user_agent": "aws-cli", "remote_ip": "192.0.2.7"}
    hand_over(
        data,
        deleting | {"remote_ip": "192.0.2.1", "user_agent": "a script", "http_status": 204},
        *(
            reading | {"time": datetime(2025, 10, day, 8, tzinfo=UTC).timestamp(), "requester": DEER}
            for day in (11, 12)
        ),
        reading | {"operation": "HeadObject"},
        reading | {"http_status": 403, "error_code": "AccessDenied"},
    )
    return Rotation(data)


def answer(database: duckdb.DuckDBPyConnection, question: str, rotation: Rotation) -> list[dict[str, Any]]:
    answers = Query(database, question, form="jsonl", rotation=rotation).run()
    lines = b"".join(answer.data for answer in answers if isinstance(answer, Rows)).splitlines()
    return [json.loads(line) for line in lines]


def test_all_are_answered() -> None:
    assert list(QUESTIONS) == list(ANSWERS)


@pytest.mark.parametrize("number", ANSWERS)
def test_a_question_has_its_answer(database: duckdb.DuckDBPyConnection, rotation: Rotation, number: str) -> None:
    assert answer(database, QUESTIONS[number], rotation) == ANSWERS[number]


@pytest.mark.parametrize("question", README_QUESTIONS)
def test_a_question_of_the_readme_can_be_asked(
    database: duckdb.DuckDBPyConnection, rotation: Rotation, question: str
) -> None:
    assert answer(database, question, rotation)


@pytest.mark.parametrize("example", EXAMPLES)
async def test_python_does_as_it_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path, example: str
) -> None:
    opened = Catalog.open(tmp_path / "data")
    await opened.create_bucket(Origin(), "photos", "root", "us-east-1")
    await opened.close()
    monkeypatch.chdir(tmp_path)
    exec(example, {})
    assert capsys.readouterr().out == ("1\n" if "print(" in example else "")  # the journal is one batch of one row


def test_the_readme_asks_three_or_more() -> None:
    assert len(README_QUESTIONS) >= 3


@pytest.mark.parametrize("view", VIEWS)
def test_each_view_is_told_of_with_its_columns(database: duckdb.DuckDBPyConnection, view: str) -> None:
    described = database.execute(f"DESCRIBE {view}").fetchall()
    columns = ", ".join(f"`{name}` {kind}" for name, kind, *_ in described)
    assert re.search(rf"^\*\*`{view}`\*\*: .*\n\n> {re.escape(columns)}$", DOCS, re.MULTILINE)


@pytest.mark.parametrize("macro", MACROS)
def test_each_macro_is_told_of(macro: str) -> None:
    assert f"`{macro}(" in DOCS
