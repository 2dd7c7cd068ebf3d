from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conformance.clients.programs import Program
from conformance.clients.tree import change, picture
from conformance.locks import COMPLIANCE, by_default
from conformance.server import REGION, Server


@pytest.fixture
def rclone(server: Server, tmp_path: Path) -> Program:
    settings = {
        "RCLONE_CONFIG": str(tmp_path / "rclone.conf"),
        "RCLONE_CONFIG_DUCKET_TYPE": "s3",
        "RCLONE_CONFIG_DUCKET_PROVIDER": "Other",
        "RCLONE_CONFIG_DUCKET_ENDPOINT": server.url,
        "RCLONE_CONFIG_DUCKET_REGION": REGION,
        "RCLONE_CONFIG_DUCKET_ACCESS_KEY_ID": server.keys.access,
        "RCLONE_CONFIG_DUCKET_SECRET_ACCESS_KEY": server.keys.secret,
        "RCLONE_S3_UPLOAD_CUTOFF": "8Mi",
        "RCLONE_S3_CHUNK_SIZE": "5Mi",
    }
    return Program("rclone", tmp_path, settings, ["--retries=1", "--low-level-retries=1"])


@pytest.fixture
def remote(rclone: Program, new_name: Callable[[str], str]) -> str:
    name = f"ducket:{new_name('rclone')}"
    rclone("mkdir", name)
    return name


def test_sync_check_and_back(rclone: Program, remote: str, tree: Path, tmp_path: Path) -> None:
    back = tmp_path / "back"
    rclone("sync", str(tree), remote)
    rclone("check", "--download", str(tree), remote)
    rclone("check", str(tree), remote)
    rclone("sync", remote, str(back))
    assert picture(back) == picture(tree)
    change(tree)
    assert rclone.run("check", "--download", str(tree), remote).returncode != 0
    rclone("sync", str(tree), remote)
    rclone("check", "--download", str(tree), remote)
    listed = rclone.text("lsf", "--recursive", "--files-only", remote)
    assert sorted(listed.splitlines()) == sorted(picture(tree))
    rclone("purge", remote)
    assert remote.removeprefix("ducket:") not in rclone.text("lsd", "ducket:")


def test_times_survive(rclone: Program, remote: str, tree: Path, tmp_path: Path) -> None:
    rclone("copy", str(tree / "many"), remote)
    rclone("copy", remote, str(tmp_path / "back"))
    for path in (tree / "many").rglob("*.bin"):
        again = tmp_path / "back" / path.relative_to(tree / "many")
        assert again.stat().st_mtime_ns == path.stat().st_mtime_ns


def test_pipe_link_and_server_side_move(rclone: Program, remote: str, fetch: Callable[[str], bytes]) -> None:
    body = b"x" * 12_000_000
    rclone("rcat", f"{remote}/a b/piped", stdin=body)
    assert rclone("cat", f"{remote}/a b/piped") == body
    assert fetch(rclone.text("link", "--expire", "1h", f"{remote}/a b/piped").strip()) == body
    rclone("moveto", f"{remote}/a b/piped", f"{remote}/moved")
    assert rclone.text("lsf", remote) == "moved\n"
    (found,) = json.loads(rclone("lsjson", remote))
    assert found["Size"] == len(body)


def test_old_versions(rclone: Program, remote: str) -> None:
    rclone("backend", "versioning", remote, "Enabled")
    for body in (b"first", b"second"):
        rclone("rcat", f"{remote}/key", stdin=body)
    assert len(rclone.text("lsf", "--s3-versions", remote).splitlines()) == 2
    assert rclone("cat", f"{remote}/key") == b"second"


def test_unfinished_uploads_are_cleaned_up(rclone: Program, remote: str, s3: object) -> None:
    bucket = remote.removeprefix("ducket:")
    s3.create_multipart_upload(Bucket=bucket, Key="left")  # type: ignore[attr-defined]
    assert "left" in rclone.text("backend", "list-multipart-uploads", remote)
    rclone("backend", "cleanup", "-o", "max-age=0s", remote)
    assert "left" not in rclone.text("backend", "list-multipart-uploads", remote)


def test_bucket_that_retains_what_comes(rclone: Program, s3: Any, locked: str, tree: Path) -> None:
    by_default(s3, locked, COMPLIANCE, Days=1)
    remote = f"ducket:{locked}"
    rclone("sync", str(tree), remote)
    rclone("check", "--download", str(tree), remote)
    change(tree)
    rclone("sync", str(tree), remote)
    rclone("check", "--download", str(tree), remote)
    kept = sum(len(page["Versions"]) for page in s3.get_paginator("list_object_versions").paginate(Bucket=locked))
    assert rclone.run("backend", "cleanup-hidden", remote).returncode != 0
    left = sum(len(page["Versions"]) for page in s3.get_paginator("list_object_versions").paginate(Bucket=locked))
    assert kept == left > len(picture(tree))
