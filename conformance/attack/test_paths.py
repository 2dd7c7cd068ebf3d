"""No key, bucket, header or SQL names a file: what looks like a path stays text, wherever it comes in.

Each process of the server tells which paths it is about to open, rename, make or remove (Python's audit events). DuckDB
opens its files by itself: that nothing comes of SQL is seen in the folder around the data, and in the answers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from conformance.raw import Raw
from conformance.server import ROOT, Server, running

MARK = "escaped"
BAIT = "not to be shown"

WATCH = """
import os, sys
told = os.open({log!r}, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
def tell(event, given):
    if event == "open" or event.startswith(("os.", "shutil.", "subprocess.", "ctypes.dlopen")):
        os.write(told, (repr((event, *given)) + chr(10)).encode("utf-8", "backslashreplace"))
sys.addaudithook(tell)
"""

UP = "../" * 12
NAMES = [
    f"{UP}tmp/{MARK}",
    f"../{MARK}",
    f"../../{MARK}/..",
    f"/{MARK}",
    f"//{MARK}",
    f"a/../../{MARK}",
    f"..\\..\\{MARK}",
    f"{MARK}\0b",
    f"~/{MARK}",
    f"file:///{MARK}",
    f"%2e%2e%2f{MARK}",
    f"${{HOME}}/{MARK}",
    f"$(touch {MARK})",
    f"`touch {MARK}`",
    f"; touch {MARK}",
    f"-{MARK}",
    f"{MARK}\n../{MARK}",
]


@dataclass(frozen=True)
class Sandbox:
    server: Server
    raw: Raw
    folder: Path

    @property
    def told(self) -> str:
        return (self.folder / "watch" / "told").read_text()

    def around(self) -> dict[str, str]:
        """What lies beside the data folder, and what is in it."""
        files = [path for path in self.folder.rglob("*") if path.is_file()]
        own = (self.server.data, self.folder / "watch", self.folder / "data.log")
        return {str(path): path.read_text() for path in files if not any(path.is_relative_to(one) for one in own)}


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    folder = tmp_path_factory.mktemp("sandbox")
    (folder / "watch").mkdir()
    (folder / "watch" / "sitecustomize.py").write_text(WATCH.format(log=str(folder / "watch" / "told")))
    (folder / MARK).write_text(BAIT)
    with running(folder / "data", "--workers", "1", env={"PYTHONPATH": f"{folder / 'watch'}:{ROOT}"}) as server:
        raw = Raw(server)
        raw.put("/bucket")
        raw.put("/bucket/source", b"source")
        yield Sandbox(server, raw, folder)


@pytest.fixture(autouse=True)
def unharmed(sandbox: Sandbox) -> Iterator[None]:
    before = sandbox.around()
    yield
    assert sandbox.around() == before
    assert "catalog.sock" in sandbox.told or "blobs" in sandbox.told
    assert [line for line in sandbox.told.splitlines() if MARK in line] == []
    assert BAIT not in (sandbox.folder / "data.log").read_text()


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", [10, 300_000], ids=["in the log", "in a file"])
def test_a_key(sandbox: Sandbox, name: str, size: int) -> None:
    raw, body = sandbox.raw, b"x" * size
    assert raw.put(f"/bucket/{name}", body).status == 200
    assert raw.get(f"/bucket/{name}").body == body
    assert raw.delete(f"/bucket/{name}").status == 204
    assert raw.get(f"/bucket/{name}").status == 404


@pytest.mark.parametrize("name", NAMES)
def test_a_bucket(sandbox: Sandbox, name: str) -> None:
    encoded = name.replace("/", "%2F")
    for method in ("PUT", "GET", "DELETE"):
        assert sandbox.raw.send(sandbox.raw.prepare(method, f"/{encoded}")).status in (400, 404)
        assert sandbox.raw.send(sandbox.raw.prepare(method, f"/{name}/key")).status in (400, 403, 404, 405)


@pytest.mark.parametrize("name", [name for name in NAMES if "\n" not in name and "\0" not in name])
def test_headers_and_parameters(sandbox: Sandbox, name: str) -> None:
    raw = sandbox.raw
    for header in ("x-amz-meta-a", "Content-Type", "Content-Disposition", "x-amz-copy-source", "x-amz-tagging"):
        assert raw.put("/bucket/key", headers={header: name}).status < 500
    for query in ("versionId", "uploadId", "prefix", "marker", "continuation-token", "key-marker", "delimiter"):
        assert BAIT.encode() not in raw.get("/bucket", {query: name}).body
        assert BAIT.encode() not in raw.get("/bucket/source", {query: name}).body
    assert raw.put("/bucket/key", b"part", {"uploadId": name, "partNumber": "1"}).status in (400, 404)


STATEMENTS = [
    "SELECT * FROM read_text('{path}')",
    "SELECT * FROM '{path}'",
    "SELECT * FROM read_csv('{path}', header = false)",
    "SELECT * FROM glob('{path}*')",
    "FROM read_blob('{path}')",
    "COPY (SELECT 1) TO '{path}-new'",
    "ATTACH '{path}-new' AS other",
    "EXPORT DATABASE '{path}-new'",
    "INSTALL '{path}'",
    "LOAD '{path}'",
    "PRAGMA database_list",
    "SET temp_directory = '{path}-new'",
    "SELECT getenv('HOME')",
    "SELECT 1; COPY (SELECT 1) TO '{path}-new'",
    "EXPLAIN ANALYZE SELECT * FROM read_text('{path}')",
    "CREATE TABLE t AS SELECT * FROM read_text('{path}')",
]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_sql(sandbox: Sandbox, statement: str) -> None:
    path = str(sandbox.folder / MARK)
    answer = sandbox.raw.post("/-/sql", statement.format(path=path).encode())
    assert 400 <= answer.status < 500
    assert BAIT.encode() not in answer.body
