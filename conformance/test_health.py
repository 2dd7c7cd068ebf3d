"""Whether the server can do its work, as a load balancer asks: without a signature."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from conformance.raw import Raw
from conformance.server import Server, running


def test_a_server_that_runs_is_live_and_ready(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="k", Body=b"1")
    assert raw.send(raw.plain("GET", "/-/health/live")).status == 200
    answer = raw.send(raw.plain("GET", "/-/health/ready"))
    assert answer.status == 200
    found = json.loads(answer.body)
    assert found["ready"] and found["problem"] is None
    assert found["sequence"] - found["applied"] == found["lag"] >= 0
    assert found["free_bytes"] > 0
    assert found["degraded"] is None
    assert "lifecycle" in found


def test_a_catalog_process_that_does_not_answer_is_told_of(tmp_path: Path) -> None:
    with running(tmp_path / "data", "--workers", "1") as server:
        stopped = catalog_process(server)
        os.kill(stopped, signal.SIGSTOP)
        answer = Raw(server).send(Raw(server).plain("GET", "/-/health/ready"))
        os.kill(stopped, signal.SIGCONT)
        assert answer.status == 503
        assert "has not answered" in json.loads(answer.body)["problem"]
        assert Raw(server).send(Raw(server).plain("GET", "/-/health/ready")).status == 200


def catalog_process(server: Server) -> int:
    parent = str(server.process.pid)
    found = subprocess.run(["pgrep", "-P", parent, "-f", "catalog.database.process"], capture_output=True, text=True)
    return int(found.stdout)
