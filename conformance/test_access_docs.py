"""The commands in docs/access.md do what the page says, in its order."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from conformance.clients.programs import aws_settings
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.server import Server, environment

PAGE = Path(__file__).parent.parent / "docs" / "access.md"


def test_each_command_of_the_page(server: Server, s3: Any, alice: Any, raw: Raw, tmp_path: Path) -> None:
    share, publish, close, grant, charge = re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL)
    read = raw.plain("GET", "/photos/2026/picture")
    run(server, tmp_path, share)
    assert alice.list_objects_v2(Bucket="photos", Prefix="2026/")["KeyCount"] == 1
    assert alice.get_object(Bucket="photos", Key="2026/picture")["Body"].read() == b"content\n"
    alice.put_object(Bucket="photos", Key="2026/hers")
    with refused("AccessDenied", 403):
        alice.put_object(Bucket="photos", Key="2025/hers")
    with refused("AccessDenied", 403):
        alice.list_objects_v2(Bucket="photos")
    assert raw.send(read).status == 403
    assert run(server, tmp_path, publish) == "content\n"
    run(server, tmp_path, close)
    assert raw.send(read).status == 403
    with refused("AccessDenied", 403):
        alice.get_object(Bucket="photos", Key="2026/picture")  # by a policy that is public
    run(server, tmp_path, grant)
    alice.get_object(Bucket="photos", Key="2026/picture")
    s3.put_object(Bucket="photos", Key="dog.jpg")
    run(server, tmp_path, charge)
    with refused("AccessDenied", 403):
        alice.get_object(Bucket="photos", Key="2026/picture")
    alice.get_object(Bucket="photos", Key="2026/picture", RequestPayer="requester")


def run(server: Server, folder: Path, commands: str) -> str:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    settings = environment() | aws_settings(server, folder) | {"HOME": str(folder), "PATH": path}
    done = subprocess.run(["sh", "-ec", commands], cwd=folder, env=settings, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines(keepends=True)[-1] if done.stdout else ""
