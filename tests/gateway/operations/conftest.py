"""Object operations called by hand: a catalog in memory, blobs in a folder, a bucket `b` of alice's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catalog import Catalog
from catalog.records import Origin, User
from gateway.blobs import Blobs, digest
from gateway.body import Body
from gateway.operations import Context
from gateway.operations.checksums import MEMBERS, encode
from gateway.operations.completing import complete_multipart_upload
from gateway.operations.multipart import create_multipart_upload, upload_part
from gateway.operations.objects import get_object, put_object
from gateway.request import Request
from gateway.settings import Settings

ALICE = User("a" * 64, "alice", "ALICEACCESSKEY", "alice-secret-key")
CHUNK = 200_000


@pytest.fixture
def blobs(catalog: Catalog, tmp_path: Path) -> Iterator[Blobs]:
    blobs = Blobs(tmp_path)
    catalog.on_dead_blobs = blobs.unlink
    yield blobs
    blobs.close()


@pytest.fixture
async def at(catalog: Catalog, blobs: Blobs, tmp_path: Path) -> Callable[..., Context]:
    """A context on a bucket as it is now. Root's own files take no part: `on_disk` counts the blobs."""
    for name, owner in (("b", ALICE.id), ("other", ALICE.id), ("bobs", "b" * 64)):
        await catalog.create_bucket(Origin(), name, owner, "us-east-1")

    def make(bucket: str = "b", caller: User = ALICE, headers: dict[str, str] | None = None) -> Context:
        settings = Settings(data=tmp_path)
        request = Request.from_scope(scope(headers or {}), nothing)
        return Context(catalog, blobs, settings, request, caller, catalog.bucket(bucket))

    return make


@pytest.fixture
def on_disk(tmp_path: Path) -> Callable[[], list[Path]]:
    return lambda: [path for folder in ("blobs", "tmp") for path in (tmp_path / folder).rglob("*") if path.is_file()]


@pytest.fixture
def sent() -> Callable[..., Body]:
    return body_of


@pytest.fixture
def put(at: Callable[..., Context]) -> Callable[..., Any]:
    async def put(key: str, content: bytes, bucket: str = "b", **given: Any) -> dict[str, Any]:
        return await put_object(at(bucket), bucket, key, body_of(content), **given)

    return put


@pytest.fixture
def got(at: Callable[..., Context]) -> Callable[..., Any]:
    """The output of GetObject with its body read whole."""

    async def got(key: str, bucket: str = "b", **given: Any) -> dict[str, Any]:
        output = await get_object(at(bucket), bucket, key, **given)
        body = output.get("body", b"")
        if not isinstance(body, bytes | memoryview):
            chunks = [bytes(chunk) async for chunk in body]
            await body.aclose()
            assert sum(map(len, chunks)) == body.length
            body = b"".join(chunks)
        return output | {"body": bytes(body)}

    return got


@pytest.fixture
def upload(at: Callable[..., Context]) -> Callable[..., Any]:
    """A completed upload of these parts, with their checksums if it has an algorithm."""

    async def upload(key: str, *parts: bytes, **given: Any) -> dict[str, Any]:
        upload_id = (await create_multipart_upload(at(), "b", key, **given))["upload_id"]
        named = []
        for number, part in enumerate(parts, 1):
            algorithm = given.get("checksum_algorithm")
            sums = {MEMBERS[algorithm]: encode(digest(algorithm, part))} if algorithm else {}
            came = await upload_part(at(), "b", key, body_of(part), number, upload_id, **sums)
            named.append({"part_number": number, "etag": came["etag"], **sums})
        return await complete_multipart_upload(at(), "b", key, upload_id, multipart_upload={"parts": named})

    return upload


@pytest.fixture
def big() -> bytes:
    """More than goes into the log, and not a whole number of anything."""
    return os.urandom(6_000_001)


@pytest.fixture
def md5() -> Callable[[bytes], str]:
    return lambda content: hashlib.md5(content).hexdigest()


def body_of(content: bytes, length: int | None = -1, fail_after: int | None = None) -> Body:
    """A body that comes in chunks; with `fail_after` the client hangs up when it has sent so much."""
    chunks = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)] or [b""]
    came = 0

    async def receive() -> dict[str, Any]:
        nonlocal came
        if not chunks or (fail_after is not None and came >= fail_after):
            return {"type": "http.disconnect"}
        chunk = chunks.pop(0)
        came += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": bool(chunks)}

    return Body(receive, len(content) if length == -1 else length)


async def nothing() -> dict[str, Any]:
    return {"type": "http.disconnect"}


def scope(headers: dict[str, str]) -> dict[str, Any]:
    sent = [(name.encode(), value.encode()) for name, value in headers.items()]
    return {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "raw_path": b"/b/key",
        "query_string": b"",
        "headers": [(b"host", b"127.0.0.1:9000"), *sent],
        "client": ("127.0.0.1", 50000),
    }
