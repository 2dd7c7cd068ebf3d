"""The one way to write. Every mutation is decided under the index's lock, appended to the log, synced, then published.

A batch is what has been asked for by the end of a turn of the event loop, up to a number; where the one before was of
several, turns go on until one brings nothing more, for the fewer the batches, the fewer the syncs. It is committed on
the loop itself, which costs less than handing it to a thread, as long as the disk (and the other processes that hold
the lock) answer quickly; when they are measured to be slow, or for a while after they stalled once, it is committed in
a thread, so that reads never wait for a disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple

import lmdb

from catalog import lag
from catalog.batch import Batch
from catalog.errors import DatabaseBehind, StorageFull, TooManyWaiting
from catalog.index import Index, dying, encode
from catalog.index.apply import Change
from catalog.log import Log
from catalog.reaping import Reaper
from catalog.records import Bucket, LogRecord, Mutation, Origin

SLOW = 0.001  # seconds a commit may wait for the lock and the disk, smoothed, before it leaves the event loop
STALL = 0.002  # seconds; who waited so long once may do so again: commits stay off the event loop
CALM = 1.0  # seconds without a stall, and they come back
# Submissions of one batch. On the loop it is to hold nobody up: 64 take a millisecond or two.
MOST_ON_LOOP, MOST_IN_THREAD = 64, 1000
MOST_WAITING = 20_000  # submissions behind the batch that is being committed
_NO_ROOM = 1 << 20  # bytes free below which a failed write is taken to have failed for want of room


@dataclass(slots=True)
class Turn:
    """What a decision is made on: the index under the lock, and what its mutation will be if it makes one."""

    index: Index
    txn: lmdb.Transaction
    change: Change  # what the mutations before it in the batch have made of the index
    buckets: dict[str, Bucket]  # those that decisions of the batch looked up; they who alter one clear it
    seq: int
    now: int  # milliseconds
    place: tuple[int, int]  # segment and offset of the body that comes with it


# Decides on one mutation without touching anything: raises to refuse; a mutation of None changes nothing.
Decide = Callable[[Turn], tuple[Mutation | None, Any]]


@dataclass(slots=True)
class Submission:
    decide: Decide
    origin: Origin
    content: bytes
    future: asyncio.Future[Any] | None = None
    long: bool = False  # takes milliseconds, whatever the disk does


class Outcome:
    """What came of a submission: a result, or the error that refused it."""

    __slots__ = ("error", "result")

    def __init__(self, result: Any = None, error: BaseException | None = None) -> None:
        self.result = result
        self.error = error


class Committed(NamedTuple):
    """What came of each submission, the blobs that died, the seconds spent waiting for the lock and the disk.

    `lag` is how many mutations the database has yet to apply; `dying` is whether parts were left to die later.
    """

    outcomes: list[Outcome]
    dead: list[bytes]
    waited: float
    lag: int
    dying: bool = False


class Commits:
    """The queue of one process. `on_dead_blobs` is told of blobs that no version names since the last commit."""

    def __init__(self, index: Index, log: Log, most_waiting: int = MOST_WAITING) -> None:
        self._index = index
        self._log = log
        self._most_waiting = most_waiting
        self._queue: list[Submission] = []
        self._crowd: list[Submission] = []  # those that came by the hundred
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: ThreadPoolExecutor | None = None
        self._scheduled = False
        self._gathered = 0  # of the batch to be, at the turn before
        self._several = False  # the batch before was of several
        self._idle: asyncio.Future[None] | None = None
        self._waiting = 0.0
        self._stalling_until = 0.0
        self._pause = 0.0
        self._long = False  # whether anything long is in the queue
        self._reaper = Reaper(index, lambda dead: self.on_dead_blobs(dead))
        self.on_dead_blobs: Callable[[list[bytes]], None] = lambda blobs: None

    def submit(
        self, decide: Decide, origin: Origin, content: bytes = b"", long: bool = False, one_of_many: bool = False
    ) -> asyncio.Future[Any]:
        """The result comes when it is durable. What is `long` is never committed on the event loop.

        One of many, asked for at once by a request that waits for all, stands behind those of other requests.
        Raises what `decide` raises, StorageFull, TooManyWaiting and DatabaseBehind.
        """
        loop = self._loop
        if loop is None:
            loop = self._loop = asyncio.get_running_loop()
            self._reap_what_others_left()
        future = loop.create_future()
        waiting = self._queued()
        if waiting >= self._most_waiting:
            future.set_exception(TooManyWaiting(waiting))
            return future
        (self._crowd if one_of_many else self._queue).append(Submission(decide, origin, content, future, long))
        if long:
            self._long = True
        if not self._scheduled:
            self._schedule(loop)
        return future

    def commit_now(self, submissions: list[Submission]) -> list[Outcome]:
        """Commit from a program without an event loop (the command line)."""
        committed = commit(self._index, self._log, submissions)
        if committed.dead:
            self.on_dead_blobs(committed.dead)
        return committed.outcomes

    async def close(self) -> None:
        """Wait for what was submitted."""
        if self._scheduled and self._loop is not None:
            self._idle = self._loop.create_future()
            await self._idle
        await self._reaper.close()
        if self._thread is not None:
            self._thread.shutdown()

    def _queued(self) -> int:
        return len(self._queue) + len(self._crowd)

    def _schedule(self, loop: asyncio.AbstractEventLoop) -> None:
        self._scheduled = True
        if self._pause:
            loop.call_later(self._pause, self._turn)
        else:
            loop.call_soon(self._turn)

    def _turn(self) -> None:
        assert self._loop is not None
        on_loop = self._waiting < SLOW and not self._long and self._loop.time() >= self._stalling_until
        most = MOST_ON_LOOP if on_loop else MOST_IN_THREAD
        waiting = self._queued()
        if self._several and self._gathered < waiting < most:
            self._gathered = waiting
            self._loop.call_soon(self._turn)
            return
        batch = self._take(most)
        self._gathered, self._several = 0, len(batch) > 1
        if on_loop:
            self._deliver(batch, commit(self._index, self._log, batch))
            return
        if self._long:
            self._long = any(submission.long for submission in (*self._queue, *self._crowd))
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "commit")
        committing = self._loop.run_in_executor(self._thread, commit, self._index, self._log, batch)
        committing.add_done_callback(lambda done: self._deliver(batch, done.result()))

    def _take(self, most: int) -> list[Submission]:
        """A batch: of those that came by the hundred half of it, and what others leave of the other half."""
        first = most - min(len(self._crowd), most // 2)
        batch, self._queue = self._queue[:first], self._queue[first:]
        rest = most - len(batch)
        crowd, self._crowd = self._crowd[:rest], self._crowd[rest:]
        return batch + crowd if crowd else batch

    def _next(self) -> None:
        self._scheduled = self._queued() > 0
        if self._scheduled and self._loop is not None:
            self._schedule(self._loop)
        elif self._idle is not None and not self._idle.done():
            self._idle.set_result(None)

    def _deliver(self, batch: list[Submission], committed: Committed) -> None:
        self._waiting += (committed.waited - self._waiting) * 0.1
        if committed.waited > STALL and self._loop is not None:
            self._stalling_until = self._loop.time() + CALM
        self._pause = lag.pause(committed.lag)
        for submission, outcome in zip(batch, committed.outcomes, strict=True):
            future = submission.future
            if future is None or future.done():
                continue
            if outcome.error is not None:
                future.set_exception(outcome.error)
            else:
                future.set_result(outcome.result)
        if committed.dead:
            self.on_dead_blobs(committed.dead)
        if committed.dying:
            self._reaper.begin()
        self._next()

    def _reap_what_others_left(self) -> None:
        with self._index.read() as txn:
            if dying.are_left(self._index, txn):
                self._reaper.begin()


def commit(index: Index, log: Log, batch: list[Submission]) -> Committed:
    """Never raises: failures are outcomes."""
    try:
        return _commit(index, log, batch)
    except (OSError, lmdb.Error) as problem:
        _forget(index, log)
        error: Exception = StorageFull(str(log.directory)) if _is_full(problem, log) else problem
    except Exception as problem:
        _forget(index, log)
        error = problem
    return Committed([Outcome(error=error) for _ in batch], [], 0.0, 0)


def _commit(index: Index, log: Log, batch: list[Submission]) -> Committed:
    outcomes: list[Outcome] = []
    dead: list[bytes] = []
    began = time.perf_counter()
    with index.write() as txn:
        waited = time.perf_counter() - began
        records = Batch(log, index.end(txn))
        settled, seal = records.seq, log.seal
        behind = records.seq - index.applied(txn)
        if behind > lag.MOST:
            raise DatabaseBehind(behind)
        change = Change(index, txn)
        buckets: dict[str, Bucket] = {}
        now = time.time_ns() // 1_000_000
        turn = Turn(index, txn, change, buckets, 0, now, (0, 0))
        for submission in batch:
            content = submission.content
            try:
                turn.seq, turn.place = records.seq + 1, records.place(len(content))
                mutation, result = submission.decide(turn)
            except OSError as problem:  # a body that finds no room keeps nobody from deleting
                outcomes.append(Outcome(error=StorageFull(str(log.directory)) if _is_full(problem, log) else problem))
                continue
            except Exception as refusal:
                outcomes.append(Outcome(error=refusal))
                continue
            outcomes.append(Outcome(result))
            if mutation is not None:
                records.add(content, encode(LogRecord(now, submission.origin, mutation, settled, seal)))
                change.apply(mutation)
        if records.count:
            dead = change.finish()
            began = time.perf_counter()
            records.sync()
            waited += time.perf_counter() - began
            index.set_end(txn, records.end, records.last_offset)
    return Committed(outcomes, dead, waited, behind, change.dying)


def _forget(index: Index, log: Log) -> None:
    """A batch that failed may be in the log already; whoever was told so must not find it done after a power cut."""
    with contextlib.suppress(OSError, lmdb.Error), index.write() as txn:
        log.forget_behind(index.end(txn))


def _is_full(problem: OSError | lmdb.Error, log: Log) -> bool:
    """LMDB tells of a full disk as an input/output error."""
    if isinstance(problem, OSError):
        return problem.errno in (errno.ENOSPC, errno.EDQUOT)
    disk = os.statvfs(log.directory)
    return isinstance(problem, lmdb.MapFullError) or disk.f_bavail * disk.f_frsize < _NO_ROOM
