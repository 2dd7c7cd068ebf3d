"""A server killed at any moment starts again without help, and nothing it acknowledged is lost or half there."""

from __future__ import annotations

import hashlib
import os
import random
import shutil
import signal
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError

from conformance.server import Server, running

BUCKET = "killed"
LARGE = 300_000  # in a blob, not in the log
WRITERS = 4


class Writer(threading.Thread):
    """Puts, overwrites and deletes keys of its own until the server is gone, and remembers what was acknowledged."""

    def __init__(self, server: Server, number: int, seed: int) -> None:
        super().__init__()
        self.client = server.client(read_timeout=10)
        self.number = number
        self.random = random.Random(seed)
        self.acknowledged: dict[str, bytes | None] = {}
        self.in_doubt: dict[str, bytes | None] = {}
        self.count = 0

    def run(self) -> None:
        while True:
            key = f"{self.number}/{self.random.randrange(20)}"
            content = self.random.randbytes(self.random.choice([0, 10, 5000, LARGE]))
            body = None if self.random.random() < 0.2 else content
            self.in_doubt = {key: body}
            try:
                if body is None:
                    self.client.delete_object(Bucket=BUCKET, Key=key)
                else:
                    self.client.put_object(Bucket=BUCKET, Key=key, Body=body)
            except (BotoCoreError, ClientError):
                return
            self.acknowledged[key] = body
            self.in_doubt = {}
            self.count += 1


def kill_everything(server: Server) -> None:
    """The supervisor and all its processes at once."""
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(server.process.pid)], capture_output=True, text=True, check=True
    )
    for pid in [server.process.pid, *map(int, children.stdout.split())]:
        os.kill(pid, signal.SIGKILL)
    server.process.wait()


def body_of(client: Any, key: str) -> bytes | None:
    try:
        return bytes(client.get_object(Bucket=BUCKET, Key=key)["Body"].read())
    except client.exceptions.NoSuchKey:
        return None


def run_and_kill(data: Path, seed: int, held: dict[str, bytes | None]) -> int:
    """One life of the server: what `held` says is there at its beginning, and whatever was in doubt is settled."""
    with running(data, "--workers", "2") as server:
        client = server.client()
        if not held:
            client.create_bucket(Bucket=BUCKET)
        writers = [Writer(server, number, seed * 100 + number) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        while sum(writer.count for writer in writers) < 60 + seed * 7:
            assert any(writer.is_alive() for writer in writers)
        kill_everything(server)
        for writer in writers:
            writer.join()
    for writer in writers:
        held |= writer.acknowledged
    with running(data) as server:
        client = server.client()
        for writer in writers:
            for key, body in writer.in_doubt.items():
                found = body_of(client, key)
                assert found in (body, held.get(key)), f"{key} is half there"
                held[key] = found
        wrong = [key for key, body in held.items() if body_of(client, key) != body]
        assert wrong == []
        listed = client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        there = {key: body for key, body in held.items() if body is not None}
        assert [(entry["Key"], entry["Size"]) for entry in listed] == sorted(
            (key, len(body)) for key, body in there.items()
        )
        assert [entry["ETag"].strip('"') for entry in listed] == [
            hashlib.md5(there[entry["Key"]]).hexdigest() for entry in listed
        ]
    return sum(1 for body in there.values() if len(body) == LARGE)


@pytest.mark.parametrize("lose_index", [False, True])
def test_what_was_acknowledged_outlives_the_kill(tmp_path: Path, lose_index: bool) -> None:
    data = tmp_path / "data"
    held: dict[str, bytes | None] = {}
    for seed in range(3):
        large = run_and_kill(data, seed, held)
        if lose_index:
            shutil.rmtree(data / "index")
    with running(data) as server:
        client = server.client()
        client.list_objects_v2(Bucket=BUCKET)
        blobs = [path for path in (data / "blobs").rglob("*") if path.is_file()]
        assert len(blobs) >= large
        assert not list((data / "tmp").iterdir())
