"""The trace of a request, top to bottom; the only place that catches errors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Container, MutableMapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlencode

from catalog import SMALL_BODY
from catalog.errors import NoBucket, NoObject, NoVersion
from catalog.records import User
from gateway import cors
from gateway.access import ANONYMOUS, WITHOUT_BUCKET, allow
from gateway.access.asked import Asked
from gateway.access.deciding import check
from gateway.access.owners import check_owner
from gateway.access_logs.recorder import AccessLog, Answered, concerned
from gateway.auth.rates import authenticating
from gateway.body import ClientDisconnect, open_body
from gateway.form import Form, fill_in, is_form, open_form
from gateway.logging import RequestLog, Seldom, log
from gateway.operations import Context
from gateway.recording import Recorder
from gateway.request import Request
from gateway.rot import is_rot, note
from gateway.s3.errors import S3Error, from_fact, render_error
from gateway.s3.model import POST_OBJECT, Operation, read_tagging, route
from gateway.s3.rendered import FILE, WHOLE, Rendered, Source, split_lines
from gateway.settings import Settings

if TYPE_CHECKING:
    from catalog import Catalog
    from gateway.auth import Identity
    from gateway.blobs import Blobs

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

CHARGED = b"x-amz-request-charged: requester\r\n"
# A request body nobody read: so much of it uvicorn may still discard to keep the connection.
DISCARD = 1 << 20
# Beyond that the connection ends; its close would reach the client before the answer, if nothing more was read.
LINGER_BYTES = 32 << 20
LINGER_SECONDS = 5.0
# Longer ones are parsed beside the event loop: one that names 10,000 parts takes 10 ms.
LONG_DOCUMENT = 64 * 1024


class Chunks(Protocol):
    """A body that is longer than one wants to have in memory."""

    def __aiter__(self) -> AsyncIterator[bytes | memoryview]: ...

    def sources(self) -> AsyncIterator[bytes | Source]:
        """The same, with what lies in files as it lies there."""

    async def aclose(self) -> None: ...


class Endpoint:
    """S3 as one ASGI application."""

    def __init__(self, catalog: Catalog, blobs: Blobs, settings: Settings, root: User) -> None:
        self.catalog = catalog
        self.blobs = blobs
        self.settings = settings
        self.root = root
        self.authenticate = authenticating(settings.max_key_rate)
        self.requests = RequestLog(settings.request_log) if settings.request_log else None
        self.recorder = Recorder(settings.data, catalog.bucket) if settings.access_log_days else None
        self.access_log = AccessLog(settings.data, catalog)
        self.no_room = Seldom("no room on the disk: what needs some is answered 507 InsufficientStorage")

    async def __call__(self, scope: Scope, receive: Receive, send: Send, crowded: bool = False) -> None:
        """`crowded`: there are too many, so this one is refused before any work is done for it."""
        started = time.perf_counter()
        request = Request.identify(scope, receive, self.settings.domains)
        if request.method == "OPTIONS" and not crowded:
            return await self.preflight(scope, request, send, started)
        operation: Operation | None = None
        caller, code, cx = ANONYMOUS, "", None
        given: dict[str, Any] | None = None
        output: dict[str, Any] | None = None
        try:
            if crowded:
                raise S3Error("SlowDown")
            request.locate()
            if request.method == "POST" and request.key is None and is_form(request):
                request.form = await open_form(request)
                operation = POST_OBJECT
            else:
                operation = route(request.method, request.bucket, request.key, request.query, request.headers)
            named = len(request.headers)
            identity = self.authenticate(request, self.find_user, self.settings.region, time.time())
            if len(request.headers) != named:
                # A header out of the URL may name another operation: with x-amz-copy-source a PUT is a copy.
                operation = route(request.method, request.bucket, request.key, request.query, request.headers)
            caller = identity.user or ANONYMOUS
            handler = handler_of(operation)
            cx = self.admit(request, operation, caller)
            bodiless = operation.body_kind == "none"
            given = operation.parse(request, None) if bodiless else await take(request, operation, identity)
            if cx.undecided is not None:
                decide_late(operation, cx.undecided, given)
            output = await handler(cx, **given)
            answer = operation.render(output)
        except ClientDisconnect:
            return
        except Exception as problem:
            failure = cx.hide(problem) if cx is not None and isinstance(problem, NoObject | NoVersion) else problem
            answer, code = refusal(request, failure)
            if code == "InsufficientStorage":
                self.no_room.give(request, failure)
            await self.note_rot(request, failure)
        special = cx is None or cx.reached is not None or (cx.bucket is not None and cx.bucket.settings is not None)
        if special and request.charged and not code:
            answer = answer._replace(head=CHARGED + answer.head)
        if "origin" in request.headers and not crowded:
            answer = answer._replace(head=cors.granted(request, self.cors_rules(request) or ()) + answer.head)
        ready = time.perf_counter()
        try:
            sent = await respond(request, answer, send, scope.get("extensions", ()))
        except Exception as failure:
            # Part of it is out: without an end to the answer the server closes the connection.
            report(request, "the answer broke off", failure)
            await self.note_rot(request, failure)
            sent, code = 0, "InternalError"
        self.record(request, operation, caller, cx, answer.status, code, sent, started, ready)
        if special and concerned(request, cx):
            call = request, operation, caller, cx, given, output
            self.access_log.add(Answered(scope, *call, answer, code, sent, started, ready))

    async def preflight(self, scope: Scope, request: Request, send: Send, started: float) -> None:
        """What a browser asks, for a page of another site, before the request itself. It is not signed."""
        code = ""
        try:
            request.locate()
            answer = cors.preflight(request, self.cors_rules(request))
        except Exception as failure:
            answer, code = refusal(request, failure)
        ready = time.perf_counter()
        sent = await respond(request, answer, send, scope.get("extensions", ()))
        self.record(request, None, ANONYMOUS, None, answer.status, code, sent, started, ready)
        self.access_log.add(
            Answered(scope, request, None, ANONYMOUS, None, None, None, answer, code, sent, started, ready)
        )

    def record(
        self,
        request: Request,
        operation: Operation | None,
        caller: User,
        cx: Context | None,
        status: int,
        code: str,
        sent: int,
        started: float,
        ready: float,
    ) -> None:
        """For the view of requests, and in the log of requests, as far as they are kept."""
        if self.recorder is not None:
            self.recorder.add(request, operation, caller, cx, status, code, sent, started, ready)
        if self.requests:
            name = operation.name if operation else ""
            self.requests.write(request, name, caller.name, status, code, sent, started)

    def cors_rules(self, request: Request) -> Sequence[cors.Rule] | None:
        """Of the bucket that the request names; None if it is not there."""
        try:
            return cors.rules_of(self.catalog.bucket(request.bucket)) if request.bucket is not None else ()
        except NoBucket:
            return None

    def close(self) -> None:
        if self.requests:
            self.requests.flush()
        if self.recorder is not None:
            self.recorder.close()
        self.access_log.close()

    async def note_rot(self, request: Request, failure: Exception) -> None:
        """Before the client can know of it, so that who asks how the server is doing then is told."""
        if is_rot(request, failure):
            await asyncio.to_thread(note, self.catalog, self.settings.data, request, failure)

    def find_user(self, access_key: str) -> User | None:
        return self.root if access_key == self.root.access_key else self.catalog.user(access_key)

    def admit(self, request: Request, operation: Operation, caller: User) -> Context:
        """The context of an operation that `caller` may do."""
        bucket = None
        if request.bucket is not None and operation.name not in WITHOUT_BUCKET:
            bucket = self.catalog.bucket(request.bucket)
        undecided = allow(caller, operation.name, bucket, request, self.catalog)
        expected = request.headers.get("x-amz-expected-bucket-owner")
        if expected is not None and bucket is not None:
            check_owner(bucket, expected)
        return Context(self.catalog, self.blobs, self.settings, request, caller, bucket, undecided)


def handler_of(operation: Operation) -> Callable[..., Awaitable[dict[str, Any] | None]]:
    if operation.handler is None:
        raise S3Error("NotImplemented", f"The operation {operation.name} is not implemented.")
    return operation.handler


def stand_for(request: Request, form: Form) -> None:
    """Let the request be the PutObject that the form stands for, its tags in the header's form."""
    fill_in(request, form)
    if "tagging" in form.fields:
        tags = read_tagging(form.fields["tagging"].encode()).get("tag_set") or []
        request.headers["x-amz-tagging"] = urlencode([(tag["key"], tag["value"]) for tag in tags])


def decide_late(operation: Operation, asked: Asked, given: dict[str, Any]) -> None:
    """What the bucket's policy says once the key of a form is known, or what stands in a document."""
    asked.complete(given)
    check(operation.name, asked)


async def take(request: Request, operation: Operation, identity: Identity) -> dict[str, Any]:
    """The operation's input. Only now is the body asked for, so a refused client need not send it."""
    if request.form is not None:
        stand_for(request, request.form)
        await request.form.file.know_length(SMALL_BODY)
        return operation.parse(request, None)
    request.body = open_body(request, identity.payload)
    if operation.body_kind == "stream":
        return operation.parse(request, None)
    document = await request.body.read(operation.body_limit)
    if len(document) > LONG_DOCUMENT:
        return await asyncio.to_thread(operation.parse, request, document)
    return operation.parse(request, document)


def refusal(request: Request, failure: Exception) -> tuple[Rendered, str]:
    """The error's answer and its code. What nobody foresaw is logged, and shows nothing."""
    error = from_fact(failure)
    if error.code == "InternalError":
        report(request, "failed", failure)
    resource = request.raw_path.decode("latin-1")
    head = request.method == "HEAD"
    return render_error(error, resource, request.request_id, request.host_id, head), error.code


def report(request: Request, what: str, failure: Exception) -> None:
    extra = {"request_id": request.request_id}
    log.error("%s %s: %s", request.method, request.raw_path.decode("latin-1"), what, exc_info=failure, extra=extra)


async def respond(request: Request, answer: Rendered, send: Send, extensions: Container[str]) -> int:
    """The bytes of body that were sent; in one message with the head, or straight from files, if the server can."""
    head = f"x-amz-request-id: {request.request_id}\r\nx-amz-id-2: {request.host_id}\r\n".encode() + answer.head
    close = must_close(request)
    if WHOLE in extensions and not close and isinstance(answer.body, bytes):
        await send({"type": WHOLE, "status": answer.status, "head": head, "body": answer.body})
        return len(answer.body)
    headers = split_lines(head)
    if close:
        headers.append((b"connection", b"close"))
    start = {"type": "http.response.start", "status": answer.status, "headers": headers}
    if not isinstance(answer.body, bytes | memoryview):
        return await stream(request, start, answer.body, send, FILE in extensions)
    await send(start)
    await send({"type": "http.response.body", "body": answer.body, "more_body": close})
    if close:
        await linger(request)
        await send({"type": "http.response.body"})
    return len(answer.body)


async def stream(request: Request, start: Message, body: Chunks, send: Send, files: bool) -> int:
    """Sends each chunk as it comes, or each file, until the last or until the client has gone."""
    sent = 0
    gone: asyncio.Task[None] | None = None
    try:
        await send(start)
        async for piece in body.sources() if files else body:
            if gone is None and sent:
                gone = asyncio.ensure_future(disconnected(request))
            elif gone is not None and gone.done():
                break
            if isinstance(piece, bytes | memoryview):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                sent += len(piece)
            else:
                length = piece.left
                await send({"type": FILE, "file": piece})
                sent += length - piece.left
    finally:
        if gone is not None:
            gone.cancel()
        await body.aclose()
    await send({"type": "http.response.body"})
    return sent


async def disconnected(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass


def must_close(request: Request) -> bool:
    """Whether more of the request's body may be on its way than is worth discarding."""
    headers = request.headers
    if not request.content_length and "transfer-encoding" not in headers:
        return False
    body = request.body
    if body is not None and body.exhausted:
        return False
    if withheld(request):
        return True
    return request.content_length is None or request.content_length > DISCARD


def withheld(request: Request) -> bool:
    """Whether the client waits to be asked for the body, and was not: it may then send it or not."""
    return "expect" in request.headers and (request.body is None or not request.body.begun)


async def linger(request: Request) -> None:
    """Takes what the client is still sending for a while: closed at once, it would not see the answer."""
    if withheld(request):
        return
    left = LINGER_BYTES
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while left > 0:
                message = await request.receive()
                left -= len(message.get("body", b""))
                if not message.get("more_body"):
                    return
    except TimeoutError:
        return
