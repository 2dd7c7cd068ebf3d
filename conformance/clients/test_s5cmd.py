from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.clients.programs import Program, aws_settings
from conformance.clients.tree import change, picture
from conformance.server import Server


@pytest.fixture
def s5cmd(server: Server, tmp_path: Path) -> Program:
    settings = aws_settings(server, tmp_path) | {"S3_ENDPOINT_URL": server.url}
    return Program("s5cmd", tmp_path, settings, ["--retry-count", "0", "--numworkers", "16"])


@pytest.fixture
def s3uri(s5cmd: Program, new_name: Callable[[str], str]) -> str:
    uri = f"s3://{new_name('s5cmd')}"
    s5cmd("mb", uri)
    return uri


def test_sync_there_and_back(s5cmd: Program, s3uri: str, tree: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    s5cmd("sync", "--part-size", "5", f"{tree}/", f"{s3uri}/")
    s5cmd("sync", f"{s3uri}/*", f"{back}/")
    assert picture(back) == picture(tree)
    change(tree)
    s5cmd("sync", "--delete", "--size-only", f"{tree}/", f"{s3uri}/")
    s5cmd("sync", "--delete", "--size-only", f"{s3uri}/*", f"{back}/")
    assert picture(back) == picture(tree)
    s5cmd("rm", f"{s3uri}/*")
    s5cmd("rb", s3uri)


def test_pipe_cat_presign_move(s5cmd: Program, s3uri: str, fetch: Callable[[str], bytes]) -> None:
    s5cmd("pipe", f"{s3uri}/a b/piped", stdin=b"through a pipe")
    assert s5cmd("cat", f"{s3uri}/a b/piped") == b"through a pipe"
    assert fetch(s5cmd.text("presign", f"{s3uri}/a b/piped").strip()) == b"through a pipe"
    s5cmd("mv", f"{s3uri}/a b/piped", f"{s3uri}/moved")
    assert s5cmd.text("ls", f"{s3uri}/*").split()[-1] == "moved"
    assert "moved" in s5cmd.text("head", f"{s3uri}/moved")


def test_wildcards_and_batches(s5cmd: Program, s3uri: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"content")
    names = [f"{folder}/{number}" for folder in "ab" for number in range(30)]
    s5cmd("run", stdin="".join(f"cp file {s3uri}/{name}\n" for name in names).encode())
    assert len(s5cmd.text("ls", f"{s3uri}/a/*").splitlines()) == 30
    s5cmd("rm", f"{s3uri}/a/1*")
    assert len(s5cmd.text("ls", f"{s3uri}/*").splitlines()) == 60 - 11
    assert s5cmd.text("du", f"{s3uri}/b/*").split()[0] == str(30 * len(b"content"))
    assert s5cmd.run("ls", f"{s3uri}/none/*").returncode != 0
