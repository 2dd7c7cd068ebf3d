"""A gateway without a socket: an in-memory catalog behind an endpoint, and requests to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from catalog import Catalog
from catalog.records import Bucket, User
from gateway import operations
from gateway.access import ROOT_ID
from gateway.blobs import Blobs
from gateway.operations import Context
from gateway.request import Request
from gateway.settings import Settings
from tests.gateway.connections import Send, served

ROOT = User(ROOT_ID, "root", "ROOTACCESSKEY", "root-secret-key")
ALICE = User("a" * 64, "alice", "ALICEACCESSKEY", "alice-secret-key")

operations.load()


@pytest.fixture
async def catalog() -> AsyncIterator[Catalog]:
    catalog = Catalog.in_memory()
    yield catalog
    await catalog.close()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data=tmp_path, root_access_key=ROOT.access_key, root_secret_key=ROOT.secret_key)


@pytest.fixture
async def send() -> AsyncIterator[Send]:
    async with served() as talk:
        yield talk


NewContext = Callable[..., Context]


@pytest.fixture
def context(catalog: Catalog, settings: Settings) -> NewContext:
    """A context for calling operations by hand, with the bucket as it is now."""

    def make(bucket: str | None = None, caller: User = ALICE, settings: Settings = settings) -> Context:
        found: Bucket | None = catalog.bucket(bucket) if bucket else None
        return Context(catalog, Blobs(settings.data), settings, request(), caller, found)

    return make


def request(method: str = "GET", path: str = "/") -> Request:
    async def nothing() -> dict[str, object]:
        return {"type": "http.disconnect"}

    scope = {
        "type": "http",
        "method": method,
        "scheme": "http",
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:9000")],
        "client": ("127.0.0.1", 50000),
    }
    return Request.from_scope(scope, nothing)
