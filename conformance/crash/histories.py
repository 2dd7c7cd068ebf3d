"""Many clients on few keys at once, each noting when it asked for what and what it was told."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from typing import Literal

from conformance.content import etag as etag_of
from conformance.crash.client import Client, Refused, Unanswered
from conformance.crash.linear import FOREVER, Call, Value
from conformance.server import Server

BUCKET = "few-keys"
KEYS = ("a", "b", "c")
SIZES = (40, 40, 5000, 100_000)  # the last is a blob
Condition = Value | Literal["any"]


class Observer(threading.Thread):
    """Makes `count` calls. `calls` holds the history by key; a listing is a read of every key."""

    def __init__(self, server: Server, number: int, count: int, seed: str) -> None:
        super().__init__()
        self.client = Client(server)
        self.random = random.Random(f"{seed}/{number}")
        self.count = count
        self.calls: list[tuple[str, Call]] = []
        self.seen: dict[str, Value] = {}
        self.error: BaseException | None = None

    def run(self) -> None:
        actions = [self.get, self.get, self.head, self.list, self.put, self.put, self.put_first, self.swap, self.delete]
        try:
            for _ in range(self.count):
                self.random.choice(actions)(self.random.choice(KEYS))
        except BaseException as error:
            self.error = error
        finally:
            self.client.close()

    def get(self, key: str) -> None:
        began = time.monotonic()
        try:
            _, told = self.client.get(BUCKET, key)
        except Refused as refusal:
            assert refusal.code == "NoSuchKey", refusal
            told = ""
        except Unanswered:
            return
        self.note_read(key, began, told or None)

    def head(self, key: str) -> None:
        began = time.monotonic()
        try:
            told = self.client.head(BUCKET, key)
        except Refused as refusal:
            assert refusal.status == 404, refusal
            told = ""
        except Unanswered:
            return
        self.note_read(key, began, told or None)

    def list(self, _: str) -> None:
        began = time.monotonic()
        try:
            listed = {each.key: each.etag for each in self.client.list_objects(BUCKET)}
        except Unanswered:
            return
        for key in KEYS:
            self.note_read(key, began, listed.get(key))

    def put(self, key: str) -> None:
        self.write(key, "any")

    def put_first(self, key: str) -> None:
        self.write(key, None)

    def swap(self, key: str) -> None:
        """On the condition that the key is as this client saw it last."""
        seen = self.seen.get(key)
        if seen is not None:
            self.write(key, seen)

    def delete(self, key: str) -> None:
        began, ended = time.monotonic(), FOREVER
        try:
            self.client.delete(BUCKET, key)
            ended = time.monotonic()
        except Unanswered:
            pass
        self.calls.append((key, Call("write", began, ended)))

    def write(self, key: str, only_if: Condition) -> None:
        content = self.random.randbytes(self.random.choice(SIZES))
        etag = etag_of(content)
        headers = {"any": {}, None: {"If-None-Match": "*"}}.get(only_if, {"If-Match": only_if or ""})
        began, ended, refused = time.monotonic(), FOREVER, False
        try:
            self.client.put(BUCKET, key, content, headers)
            ended = time.monotonic()
            self.seen[key] = etag
        except Refused as refusal:
            # AWS says 404, not 412, of an If-Match where nothing is.
            assert refusal.status in (412, 404), refusal
            ended, refused = time.monotonic(), True
        except Unanswered:
            pass
        self.calls.append((key, Call("write", began, ended, put=etag, only_if=only_if, refused=refused)))

    def note_read(self, key: str, began: float, told: Value) -> None:
        self.seen[key] = told
        self.calls.append((key, Call("read", began, time.monotonic(), told)))


def record(
    server: Server, clients: int, count: int, seed: str, halfway: Callable[[], None] = lambda: None
) -> dict[str, list[Call]]:
    """The history of each key: what `clients` saw, `count` calls each, and what was there in the end."""
    observers = [Observer(server, number, count, seed) for number in range(clients)]
    for observer in observers:
        observer.start()
    while sum(len(observer.calls) for observer in observers) < clients * count // 2:
        time.sleep(0.001)
    halfway()
    histories: dict[str, list[Call]] = {key: [] for key in KEYS}
    for observer in observers:
        observer.join()
        if observer.error is not None:
            raise observer.error
        for key, call in observer.calls:
            histories[key].append(call)
    for key, value in current(server).items():
        histories[key].append(Call("read", time.monotonic(), time.monotonic(), value))
    return histories


def current(server: Server) -> dict[str, Value]:
    """What each key has while nobody writes."""
    client = Client(server)
    listed = {each.key: each.etag for each in client.list_objects(BUCKET)}
    client.close()
    return {key: listed.get(key) for key in KEYS}
