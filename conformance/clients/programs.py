"""Client programs run as a person would run them: by name, with their settings in the environment."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from conformance.server import REGION, Server, environment


@dataclass
class Program:
    """One executable next to this Python, with the environment it runs in."""

    name: str
    home: Path
    settings: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)

    def __call__(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What the program wrote; fails with what it complained of unless it went well."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, done.stderr.decode() + done.stdout.decode()
        return done.stdout

    def text(self, *arguments: str, stdin: bytes = b"") -> str:
        return self(*arguments, stdin=stdin).decode()

    def run(self, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [str(Path(sys.executable).parent / self.name), *self.options, *arguments]
        settings = environment() | {"HOME": str(self.home)} | self.settings
        return subprocess.run(command, input=stdin, capture_output=True, env=settings, cwd=self.home)


def aws_settings(server: Server, home: Path) -> dict[str, str]:
    return {
        "AWS_ACCESS_KEY_ID": server.keys.access,
        "AWS_SECRET_ACCESS_KEY": server.keys.secret,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": server.url,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": str(home / "aws-config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(home / "aws-credentials"),
    }
