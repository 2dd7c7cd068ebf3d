"""Questions to the catalog process from an event loop, without DuckDB: results pass through as bytes."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from catalog.database.frames import (
    LENGTH,
    SOCKET,
    Answer,
    AskHealth,
    AskNamed,
    Columns,
    End,
    Failure,
    Frame,
    Health,
    Named,
    Rows,
    Sql,
    decode_answer,
    pack,
)
from catalog.errors import CatalogUnusable

Answers = AsyncGenerator[Columns | Rows | End, None]

_BUFFER = 1024 * 1024
_AT_ONCE = 100_000  # blobs in a question


async def ask(directory: Path, statement: str, owner: str | None, form: str) -> Answers:
    """See `Sql`. Closed early, it stops the query.

    Raises QueryRefused, QueryFailed, QueryStopped, and CatalogUnusable where the process does not answer.
    """
    async with _connected(directory) as (reader, writer):
        await _send(writer, Sql(statement, owner=owner, form=form))
        while True:
            answer = await _receive(reader)
            assert isinstance(answer, Columns | Rows | End)
            yield answer
            if isinstance(answer, End):
                return


async def health(directory: Path) -> Health:
    """Raises CatalogUnusable where the process does not answer."""
    async with _connected(directory) as (reader, writer):
        await _send(writer, AskHealth())
        answer = await _receive(reader)
        assert isinstance(answer, Health)
        return answer


async def named(directory: Path, blobs: Sequence[bytes]) -> list[bytes]:
    """Those of the blobs that the database names, see `bodies.named`.

    Raises QueryFailed, QueryStopped, and CatalogUnusable where the process does not answer.
    """
    found: list[bytes] = []
    async with _connected(directory) as (reader, writer):
        for first in range(0, len(blobs), _AT_ONCE):
            await _send(writer, AskNamed(list(blobs[first : first + _AT_ONCE])))
            answer = await _receive(reader)
            assert isinstance(answer, Named)
            found += answer.blobs
    return found


@asynccontextmanager
async def _connected(directory: Path) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    place = os.open(directory, os.O_PATH | os.O_DIRECTORY)
    try:
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{place}/{SOCKET}", limit=_BUFFER)
    except OSError:
        raise CatalogUnusable("the catalog process does not answer") from None
    finally:
        os.close(place)
    try:
        yield reader, writer
    finally:
        writer.transport.abort()


async def _send(writer: asyncio.StreamWriter, request: Frame) -> None:
    writer.write(pack(request))
    await writer.drain()


async def _receive(reader: asyncio.StreamReader) -> Answer:
    try:
        length = int.from_bytes(await reader.readexactly(LENGTH), "big")
        answer = decode_answer(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError):
        raise CatalogUnusable("the catalog process went away before it had answered") from None
    if isinstance(answer, Failure):
        raise answer.raised()
    return answer
