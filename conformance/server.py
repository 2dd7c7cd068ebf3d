"""A real `ducket serve` process with a data folder of its own, for as long as a test needs it."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

import boto3
from botocore.config import Config

ROOT = Path(__file__).resolve().parent.parent
REGION = "us-east-1"


@dataclass(frozen=True)
class Keys:
    access: str
    secret: str


ROOT_KEYS = Keys("DUCKETROOTACCESSKEY", "root/secret+key=with-signs-0123456789ab")


@dataclass(frozen=True)
class Server:
    url: str
    data: Path
    keys: Keys
    process: subprocess.Popen[str]

    @property
    def host(self) -> str:
        return urlsplit(self.url).hostname or ""

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or 0

    def client(self, keys: Keys | None = None, region: str = REGION, **config: Any) -> Any:
        """A boto3 client that tries once, so that no failure hides behind a retry."""
        return boto3_client(self.url, keys or self.keys, region, **config)


@contextmanager
def running(
    data: Path, *options: str, env: dict[str, str] | None = None, program: list[str] | None = None
) -> Iterator[Server]:
    """`program` takes the place of `ducket serve`."""
    log = data.parent / f"{data.name}.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*(program or ducket("serve")), "--data", str(data), "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment() | (env or {}),
        )
        try:
            assert process.stdout is not None
            url = _address(process.stdout, log)
            threading.Thread(target=_drain, args=(process.stdout,), daemon=True).start()
            yield Server(url, data, ROOT_KEYS, process)
        finally:
            process.terminate()
            process.wait()


def run_command(*arguments: str) -> str:
    """Runs one `ducket` command to its end and returns what it printed."""
    done = subprocess.run(ducket(*arguments), capture_output=True, text=True, env=environment())
    assert done.returncode == 0, done.stderr
    return done.stdout


def create_user(data: Path, name: str, keys: Keys, **more: str) -> None:
    options = {"access_key": keys.access, "secret_key": keys.secret} | more
    flags = [text for name, value in options.items() for text in (f"--{name.replace('_', '-')}", value)]
    run_command("user", "create", name, *flags, "--data", str(data))


def ducket(*arguments: str) -> list[str]:
    # Not the installed script: it could belong to another checkout.
    return [sys.executable, "-c", "import sys; from gateway.cli import main; sys.exit(main())", *arguments]


def environment() -> dict[str, str]:
    """The caller's, without proxies, AWS settings and options of its own that would change what is tested."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AWS_", "DUCKET_", "S3_")) and not name.lower().endswith("_proxy")
    }
    return kept | {
        "PYTHONPATH": str(ROOT),
        "DUCKET_ROOT_ACCESS_KEY": ROOT_KEYS.access,
        "DUCKET_ROOT_SECRET_KEY": ROOT_KEYS.secret,
    }


def boto3_client(url: str, keys: Keys, region: str = REGION, **config: Any) -> Any:
    settings = {
        "signature_version": "s3v4",
        "retries": {"total_max_attempts": 1},
        "s3": {"addressing_style": "path"},
        "proxies": {},
    } | config
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name=region,
        aws_access_key_id=keys.access,
        aws_secret_access_key=keys.secret,
        config=Config(**settings),
    )


def _address(output: IO[str], log: Path) -> str:
    for line in output:
        if line.startswith(("http://", "https://")):
            return line.strip()
    raise RuntimeError(f"the server ended before it was ready:\n{log.read_text()}")


def _drain(output: IO[str]) -> None:
    for _ in output:
        pass
