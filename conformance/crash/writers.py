"""Clients that write all that can be written, each to keys of its own and all of them to a few, and keep the record."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable

from conformance.content import etag as etag_of
from conformance.crash.client import Body, Client, Refused, Unanswered
from conformance.crash.ledger import ABSENT, Entry, Key, Ledger, State, Upload
from conformance.server import Server

PLAIN, VERSIONED = "plain", "versioned"
KEYS = 12  # a writer has of its own in each bucket
SIZES = (0, 10, 5000, 60_000, 300_000)  # the last is a blob
PART = 5 * 1024 * 1024
LONG = "long/" + "k" * 900  # longer than the index's keys can be

Send = Callable[[], tuple[str, str]]
After = Callable[[str | None, str | None], State]


class Writer(threading.Thread):
    """Until it is stopped or the server is gone. A key whose answer never came is left alone from then on."""

    def __init__(self, server: Server, number: int, ledger: Ledger, seed: str) -> None:
        super().__init__()
        self.server = server
        self.client = Client(server)
        self.number = number
        self.ledger = ledger
        self.random = random.Random(f"{seed}/{number}")
        self.claims = f"claim/{seed}"
        self.claimed = 0
        self.stopped = False
        self.broken: list[str] = []  # promises of S3's that did not hold
        self.error: BaseException | None = None
        self.actions = [
            *[self.put] * 6,
            *[self.delete] * 2,
            *[self.copy] * 2,
            *[self.claim] * 2,
            self.put_on_condition,
            self.delete_version,
            self.begin_upload,
            self.go_on_with_upload,
            self.go_on_with_upload,
        ]

    def run(self) -> None:
        try:
            while not self.stopped and self.server.process.poll() is None:
                try:
                    self.random.choice(self.actions)()
                except Unanswered:
                    time.sleep(0.01)  # for the server to be gone, or another worker to answer
                except Refused as refusal:
                    if refusal.status < 500:
                        self.broken.append(f"refused: {refusal}")
        except BaseException as error:
            self.error = error
        finally:
            self.client.close()

    def put(self) -> None:
        bucket, key = place = self.any_key()
        content = self.content()
        self.change(place, self.on_top(place, Body.of(content)), lambda: self.client.put(bucket, key, content))

    def put_on_condition(self) -> None:
        """Half of the conditions do not hold; what they refuse must not happen."""
        bucket, key = place = self.any_key()
        state = self.ledger.known(place)
        if state is None:
            return
        current = state[0] if state and state[0].body else None
        held = current.etag if current is not None else None
        content = self.content()
        if self.random.random() < 0.5 and held:
            right = self.random.random() < 0.5
            headers = {"If-Match": held if right else etag_of(b"something else")}
        else:
            right, headers = current is None, {"If-None-Match": "*"}
        after = self.on_top(place, Body.of(content)) if right else lambda *_: state
        try:
            self.change(place, after, lambda: self.client.put(bucket, key, content, headers))
        except Refused as refusal:
            if right or refusal.status != 412:
                raise
        else:
            if not right:
                self.broken.append(f"{headers} held at {key}, which has {held}")

    def claim(self) -> None:
        """Everybody tries to be the first at the same keys."""
        bucket, key = self.random.choice((PLAIN, VERSIONED)), f"{self.claims}/{self.claimed}"
        self.claimed += 1
        content = self.random.randbytes(20)
        self.ledger.claims[bucket, key] = (Body.of(content), False)
        try:
            self.client.put(bucket, key, content, {"If-None-Match": "*"})
        except Refused as refusal:
            del self.ledger.claims[bucket, key]
            if refusal.status != 412 and refusal.status < 500:
                raise
        else:
            self.ledger.claims[bucket, key] = (Body.of(content), True)
            self.ledger.acknowledged += 1

    def delete(self) -> None:
        bucket, key = place = self.any_key()
        state = self.ledger.known(place)
        if state is not None:
            self.change(
                place,
                lambda _, version: (Entry(None, version), *state) if bucket == VERSIONED else ABSENT,
                lambda: ("", self.client.delete(bucket, key)),
            )

    def delete_version(self) -> None:
        _, key = place = (VERSIONED, self.own(self.random.randrange(KEYS)))
        state = self.ledger.known(place)
        if state:
            chosen = self.random.choice(state)
            rest = tuple(entry for entry in state if entry is not chosen)
            self.change(
                place, lambda *_: rest, lambda: ("", self.client.delete(VERSIONED, key, chosen.version_id or ""))
            )

    def copy(self) -> None:
        bucket, key = place = self.any_key()
        source = self.any_key()
        state = self.ledger.known(source)
        if source != place and state and state[0].body:
            self.change(
                place, self.on_top(place, state[0].body), lambda: self.client.copy(bucket, key, "/".join(source))
            )

    def begin_upload(self) -> None:
        bucket, key = self.any_key()
        self.ledger.strays += 1
        try:
            upload_id = self.client.create_upload(bucket, key)
        except Refused:
            self.ledger.strays -= 1
            raise
        self.ledger.strays -= 1
        self.ledger.uploads[bucket, key, upload_id] = Upload()
        self.ledger.acknowledged += 1

    def go_on_with_upload(self) -> None:
        """The next step of one that was begun, in this life of the server or an earlier one."""
        certain = [name for name, upload in self.ledger.uploads.items() if upload.certain]
        if not certain:
            return
        name = self.random.choice(certain)
        parts = self.ledger.uploads[name].parts
        if self.random.random() < 0.1:
            self.abort(name)
        elif not parts or (len(parts) == 1 and len(self.ledger.uploads[name].contents[1]) == PART):
            self.put_part(name)
        else:
            self.complete(name)

    def put_part(self, name: tuple[str, str, str]) -> None:
        upload = self.ledger.uploads[name]
        number = len(upload.parts) + 1
        size = PART if number == 1 and self.random.random() < 0.1 else self.random.choice(SIZES[1:])
        content = self.random.randbytes(size // 10) * 10
        upload.parts[number] = {None, etag_of(content)}
        upload.contents[number] = content
        etag = self.client.put_part(*name, number, content)
        upload.parts[number] = {etag}
        self.ledger.acknowledged += 1

    def complete(self, name: tuple[str, str, str]) -> None:
        upload, place = self.ledger.uploads[name], name[:2]
        if self.ledger.known(place) is None:
            return
        named = {number: etag for number, etags in upload.parts.items() for etag in etags if etag is not None}
        body = Body.of(b"".join(upload.contents[number] for number in named))
        upload.ending = True
        self.change(place, self.on_top(place, body), lambda: self.client.complete(*name, named))
        del self.ledger.uploads[name]

    def abort(self, name: tuple[str, str, str]) -> None:
        self.ledger.uploads[name].ending = True
        self.client.abort(*name)
        del self.ledger.uploads[name]
        self.ledger.acknowledged += 1

    def change(self, place: Key, after: After, send: Send) -> None:
        """Ask for a change of a key, and note what is known of it at each moment."""
        before = self.ledger.known(place)
        if before is None:
            return
        self.ledger.begin(place, after(None, None))
        try:
            etag, version_id = send()
        except Refused:
            self.ledger.settle(place, before)
            raise
        self.ledger.acknowledge(place, after(etag, version_id))

    def on_top(self, place: Key, body: Body) -> After:
        below = (self.ledger.known(place) or ABSENT) if place[0] == VERSIONED else ABSENT

        def after(etag: str | None, version_id: str | None) -> State:
            return (Entry(body, version_id if place[0] == VERSIONED else "null", etag), *below)

        return after

    def any_key(self) -> Key:
        return self.random.choice((PLAIN, VERSIONED)), self.own(self.random.randrange(KEYS))

    def own(self, number: int) -> str:
        return f"{self.number}/{LONG}{number}" if number < 2 else f"{self.number}/{number}"

    def content(self) -> bytes:
        return self.random.randbytes(self.random.choice(SIZES))
