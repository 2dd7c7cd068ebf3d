"""One client of the socket: reads its requests, answers them in order, and stops a query when the client goes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import duckdb
import lmdb
import msgspec

from catalog.database import bodies, kept
from catalog.database.dumping import Dump
from catalog.database.follower import Follower
from catalog.database.frames import (
    LENGTH,
    MAX_REQUEST,
    AskCheckpoint,
    AskHealth,
    AskHolders,
    AskNamed,
    AskSchema,
    AskStatus,
    AskStorage,
    AskTables,
    AskViews,
    ChangeView,
    Failure,
    Frame,
    Health,
    Held,
    Hold,
    KeepValidations,
    Mend,
    Named,
    NamePoint,
    Recount,
    Release,
    Request,
    Sql,
    Sync,
    Synced,
    Views,
    decode_request,
    pack,
)
from catalog.database.limits import QUERIES, Limits
from catalog.database.mending import mend, recount
from catalog.database.pace import Pace
from catalog.database.query import Query
from catalog.database.registry import see
from catalog.database.rotation import Rotation
from catalog.database.schema import take_schema
from catalog.database.source import Source
from catalog.database.status import take_status
from catalog.database.storage import take_reads, take_storage
from catalog.database.tables import points
from catalog.database.views import change, every
from catalog.errors import QueryFailed, QueryRefused, QueryStopped
from catalog.priority import give_way

T = TypeVar("T")

log = logging.getLogger(__name__)

_AHEAD = 16  # requests taken in before the first is answered
NICENESS = 15  # with every core taken a query gets a thirtieth of each; nicer it would hardly move
_STALLED = 1.0  # seconds a stopped query waits for a client that does not read


def give_way_to_changes() -> None:
    give_way(NICENESS)


@dataclass
class Desk:
    """What all sessions share."""

    directory: Path
    connection: duckdb.DuckDBPyConnection
    follower: Follower
    source: Source
    pace: Pace
    rotation: Rotation
    limits: Limits = field(default_factory=Limits)
    threads: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(QUERIES + 1, "query", give_way_to_changes)
    )
    altering: asyncio.Lock = field(default_factory=asyncio.Lock)  # held by who writes to the database beside `pace`
    places: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(QUERIES))


class Session:
    def __init__(self, desk: Desk, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._desk = desk
        self._reader = reader
        self._writer = writer
        self._requests: asyncio.Queue[Request] = asyncio.Queue(_AHEAD)

    async def run(self) -> None:
        """Until the client goes or sends what is no request."""
        answering = asyncio.create_task(self._answer_all())
        try:
            await self._receive()
        finally:
            answering.cancel()
            with suppress(asyncio.CancelledError, ConnectionError):
                await answering
            self._writer.close()

    async def _receive(self) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError, msgspec.DecodeError):
            while True:
                length = int.from_bytes(await self._reader.readexactly(LENGTH), "big")
                if length > MAX_REQUEST:
                    return
                await self._requests.put(decode_request(await self._reader.readexactly(length)))

    async def _answer_all(self) -> None:
        while True:
            request = await self._requests.get()
            try:
                await self._answer(request)
            except (QueryRefused, QueryFailed, QueryStopped) as fact:
                await self._send(Failure(type(fact).__name__, fact.why))
            except ConnectionError:
                raise
            except (duckdb.Error, lmdb.Error, OSError) as problem:
                log.exception("a question to the catalog process failed")
                await self._send(Failure(QueryFailed.__name__, str(problem)))

    async def _answer(self, request: Request) -> None:
        desk = self._desk
        match request:
            case Sql():
                await self._run_query(request)
            case Sync():
                await self._send(Synced(await desk.pace.up_to_date()))
            case AskHealth():
                await self._send(Health(desk.follower.applied.seq, desk.pace.problem))
            case AskViews():
                await self._send(Views(await self._run(every)))
            case ChangeView():
                async with desk.altering, self._place(desk.limits.seconds):
                    await self._run(_change, desk.rotation, request)
                    await self._run(kept.keep)
                await self._send(Views(await self._run(every)))
            case AskSchema():
                await self._send(await self._run(take_schema))
            case AskStorage():
                await self._send(await self._run(take_storage, desk.directory, desk.limits, take_reads()))
            case AskTables():
                async with self._place(desk.limits.seconds):
                    await self._pump(Dump(desk.connection, request.secrets))
            case AskCheckpoint():
                await desk.pace.up_to_date()
                await desk.pace.checkpoint()
                await self._send(Synced(desk.follower.applied))
            case NamePoint():
                async with desk.altering, self._place(desk.limits.seconds):
                    await self._run(points.put, request.bucket, request.name, request.seq)
                    await self._run(kept.keep)
                await self._send(Synced(desk.follower.applied))
            case KeepValidations():
                async with desk.altering, self._place(desk.limits.seconds):
                    await self._run(kept.keep_validations, request)
                await self._send(Synced(desk.follower.applied))
            case AskHolders():
                async with self._place(desk.limits.seconds):
                    await self._send(await self._run(bodies.holders, desk.source, request.body))
            case AskNamed():
                async with self._place(desk.limits.seconds):
                    await self._send(Named(await self._run(bodies.named, request.blobs)))
            case Mend():
                async with desk.altering:
                    await self._send(Synced(await desk.pace.mend(mend, request.bucket_id, request.keys)))
            case Recount():
                async with desk.altering:
                    await self._send(Synced(await desk.pace.mend(recount)))
            case Hold():
                await self._hold()
            case Release():
                raise QueryRefused("nothing is held")
            case AskStatus():
                loop, problem = asyncio.get_running_loop(), desk.pace.problem
                about = (desk.directory, desk.connection, desk.follower, desk.source, problem)
                await self._send(await loop.run_in_executor(desk.threads, take_status, *about))

    async def _hold(self) -> None:
        """Whatever the client sends next, it lets go."""
        pace = self._desk.pace
        with pace.keeping_segments():
            async with self._desk.altering, pace.standing_still() as applied:
                await self._send(Held(applied))
                await self._requests.get()
            await self._send(Held(applied))
            await self._requests.get()
        await self._send(Held(applied))

    async def _run(self, work: Callable[..., T], *arguments: object) -> T:
        """In a thread, on a connection that sees all. Cancelled, it interrupts it and waits for its end."""
        with self._desk.connection.cursor() as cursor:
            see(cursor, None)
            running = asyncio.get_running_loop().run_in_executor(self._desk.threads, work, cursor, *arguments)
            try:
                return await asyncio.shield(running)
            except asyncio.CancelledError:
                while not running.done():
                    cursor.interrupt()
                    await asyncio.wait({running}, timeout=0.05)
                running.exception()
                raise

    async def _run_query(self, request: Sql) -> None:
        limits = self._desk.limits
        async with self._place(min(request.seconds or limits.seconds, limits.seconds)):
            asked = (request.statement, request.owner, request.form)
            given = (request.parameters, self._desk.rotation, request.plain)
            query = Query(self._desk.connection, *asked, limits, *given)
            await self._pump(query)

    @asynccontextmanager
    async def _place(self, seconds: float) -> AsyncIterator[None]:
        """One of those that run at a time, once everything is applied. Raises QueryStopped after so many seconds."""
        try:
            async with self._desk.pace.reading(seconds), self._desk.places:
                yield
        except TimeoutError:
            why = f"the query took longer than {seconds:g} seconds, or stood in the way of a checkpoint"
            raise QueryStopped(why) from None

    async def _pump(self, query: Query | Dump) -> None:
        """Run a query in a thread and send what comes of it. Cancelled, it stops the query and waits for its end."""
        loop = asyncio.get_running_loop()

        def work() -> None:
            with closing(query.run()) as answers:
                for answer in answers:
                    asyncio.run_coroutine_threadsafe(self._send(answer), loop).result()

        running = loop.run_in_executor(self._desk.threads, work)
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            patience = loop.time() + _STALLED
            while not running.done():
                query.stop("the query was stopped")
                if loop.time() > patience:
                    self._writer.transport.abort()
                with suppress(asyncio.CancelledError):  # told twice: the client went, and the server stops
                    await asyncio.wait({running}, timeout=0.05)
            running.exception()
            raise

    async def _send(self, answer: Frame) -> None:
        self._writer.write(pack(answer))
        await self._writer.drain()


def _change(connection: duckdb.DuckDBPyConnection, rotation: Rotation, asked: ChangeView) -> None:
    with rotation.shown(connection):
        change(connection, asked.action, asked.name, asked.text)
