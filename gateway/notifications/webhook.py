"""A webhook that the operator named, and messages posted to it."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

import urllib3

from gateway.settings import Settings

AT_ONCE = 8  # messages, of different keys
CONNECT_SECONDS, ANSWER_SECONDS = 5.0, 60.0
MOST_SAID = 200  # characters of an answer that are shown


class Undelivered(Exception):
    """The text says why a message did not arrive."""


@dataclass(frozen=True)
class Target:
    name: str
    endpoint: str
    token: str = ""

    @property
    def place(self) -> str:
        """Where it is, without what may be secret in its path."""
        found = urlsplit(self.endpoint)
        return f"{found.scheme}://{found.netloc}"

    @property
    def arn(self) -> str:
        return f"arn:minio:sqs::{self.name}:webhook"

    @property
    def headers(self) -> dict[str, str]:
        """A token of one word is a bearer's, as with MinIO."""
        headers = {"content-type": "application/json", "user-agent": "Ducket"}
        if self.token:
            headers["authorization"] = self.token if len(self.token.split()) > 1 else f"Bearer {self.token}"
        return headers


class Webhook:
    """Used from several threads at once."""

    def __init__(self, target: Target) -> None:
        self._target = target
        timeout = urllib3.Timeout(connect=CONNECT_SECONDS, read=ANSWER_SECONDS)
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=AT_ONCE, timeout=timeout, headers=target.headers)

    def post(self, body: bytes) -> None:
        """Raises Undelivered for all but an answer of 2xx; nothing is tried again here, and no redirect followed."""
        try:
            answer = self._pool.request(
                "POST", self._target.endpoint, body=body, retries=False, redirect=False, preload_content=False
            )
            said = answer.read(MOST_SAID, decode_content=False)
            answer.drain_conn()
            answer.release_conn()
        except (urllib3.exceptions.HTTPError, OSError, ValueError) as problem:
            raise Undelivered(f"{type(problem).__name__}: {problem}") from None
        if not 200 <= answer.status < 300:
            text = said.decode("utf-8", "replace").strip()
            raise Undelivered(f"it answered {answer.status}" + (f": {text}" if text else ""))

    def close(self) -> None:
        self._pool.clear()


def targets(settings: Settings) -> list[Target]:
    tokens = dict(settings.notify_token)
    return [Target(name, endpoint, tokens.get(name, "")) for name, endpoint in settings.notify_webhook]
