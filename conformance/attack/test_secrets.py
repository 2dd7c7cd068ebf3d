"""Secrets stay where they are kept: in files of the owner alone, never in an answer, a log, or a list of processes."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.conftest import ALICE
from conformance.raw import Raw
from conformance.receiver import NAME, notify
from conformance.server import ROOT_KEYS, Server, create_user, run_command, running
from conformance.workers import until, workers

TOKEN, PATH = "secret-token-of-a-webhook", "secret-path-of-a-webhook"
SECRETS = [ALICE.secret, ROOT_KEYS.secret, TOKEN, PATH]
HOOK = {"DUCKET_NOTIFY_WEBHOOK": f"{NAME}=http://127.0.0.1:9/{PATH}", "DUCKET_NOTIFY_TOKEN": f"{NAME}={TOKEN}"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Under a umask that lets everybody read, with a folder that is there already, and both kinds of log."""
    folder, mask = tmp_path_factory.mktemp("secrets"), os.umask(0o022)
    (folder / "data").mkdir(mode=0o755)
    try:
        with running(folder / "data", "--request-log", str(folder / "requests.log"), env=HOOK) as server:
            create_user(server.data, "alice", ALICE)
            s3 = server.client(ALICE)
            s3.create_bucket(Bucket="bucket")
            notify(s3, "bucket", "s3:ObjectCreated:*")
            for size in (10, 300_000):
                s3.put_object(Bucket="bucket", Key=str(size), Body=bytes(size))
            until(lambda: "hook" in (folder / "data.log").read_text())  # nobody listens there
            run_command("sql", "SELECT count(*) FROM buckets", "--data", str(server.data))
            yield server
    finally:
        os.umask(mask)


def test_every_file_in_the_data_folder_is_the_owner_s_alone(server: Server) -> None:
    kept = [path for path in server.data.rglob("*") if not path.is_socket()]
    assert {path.name for path in kept} > {"data.mdb", "catalog.duckdb", "serve.lock", "log", "notifications.json"}
    assert [str(path) for path in kept if path.stat().st_mode & 0o077] == []


def test_so_is_every_file_of_a_backup_and_of_what_is_restored_from_it(server: Server, tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        run_command("backup", str(tmp_path / "backup"), "--data", str(server.data))
        run_command("restore", str(tmp_path / "backup"), "--data", str(tmp_path / "restored"))
    finally:
        os.umask(mask)
    for folder in (tmp_path / "backup", tmp_path / "restored"):
        kept = [folder, *folder.rglob("*")]
        assert len(kept) > 5
        assert [str(path) for path in kept if path.stat().st_mode & 0o077] == []


def test_sockets_are_the_owner_s_alone(server: Server) -> None:
    assert (server.data / "catalog.sock").stat().st_mode & 0o077 == 0


def test_a_key_that_was_made_is_the_owner_s_alone(tmp_path: Path) -> None:
    mask = os.umask(0o022)
    try:
        with running(tmp_path / "data", env={"DUCKET_ROOT_ACCESS_KEY": "", "DUCKET_ROOT_SECRET_KEY": ""}):
            assert (tmp_path / "data" / "root.key").stat().st_mode & 0o777 == 0o600
    finally:
        os.umask(mask)


def test_the_list_of_processes_shows_none(server: Server) -> None:
    processes = {server.process.pid, *workers(server), *children(server.process.pid)}
    assert len(processes) > 2
    for process in processes:
        command = Path(f"/proc/{process}/cmdline").read_bytes().decode()
        assert not any(secret in command for secret in SECRETS)


def children(process: int) -> set[int]:
    return set(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))


def test_answers_and_logs_show_none(server: Server) -> None:
    raw = Raw(server)
    asked = [
        raw.prepare("GET", "/bucket"),
        raw.presign("GET", "/bucket", expires=1, signer=raw.signing(keys=ALICE)),
        raw.plain("GET", "/bucket"),
        raw.prepare("POST", "/-/sql", body=b"SELECT * FROM users"),
        raw.prepare("POST", "/-/sql", body=b"SELECT * FROM private.users"),
        raw.prepare("POST", "/-/sql", body=b"nonsense"),
    ]
    asked[0].headers["Authorization"] = asked[0].headers["Authorization"][:-1]
    answers = b"".join(raw.send(request).body for request in asked).decode()
    server.client(ALICE).list_buckets()
    logs = [(server.data.parent / name).read_text() for name in ("data.log", "requests.log")]
    commands = [("user", "list"), ("status",), ("notifications", "status"), ("notifications", "status", "--json")]
    shown = [answers, *logs, *(run_command(*command, "--data", str(server.data)) for command in commands)]
    assert "alice" in shown[-4] and "failing" in shown[-1]
    assert not any(secret in text for text in shown for secret in SECRETS)
