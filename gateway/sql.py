"""`/-/sql`: questions to the catalog in SQL over HTTP, signed as all requests are; the answer comes as it is found.

POST with the statement as its body, or GET with it as the parameter `query`, so that a URL can be presigned. The caller
sees the buckets it may list.
"""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing, suppress
from pathlib import Path

from catalog.database.frames import Columns, End, Rows
from catalog.database.remote import Answers, ask
from catalog.errors import CatalogUnusable
from gateway.access import ROOT_ID
from gateway.auth import Identity, authenticate
from gateway.auth.proof import FindUser
from gateway.auth.rates import Authenticate
from gateway.body import ClientDisconnect, open_body
from gateway.endpoint import Receive, Scope, Send, disconnected, refusal, report, respond
from gateway.request import Request
from gateway.s3.errors import S3Error, invalid_argument

PATIENCE = 5.0  # seconds beyond those that a query may take
LONGEST_STATEMENT = 1 << 20  # bytes

CONTENT_TYPES = {
    "jsonl": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
    "arrow": "application/vnd.apache.arrow.stream",
}
ACCEPTED = {
    "*/*": "jsonl",
    "application/*": "jsonl",
    "application/x-ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "text/csv": "csv",
    "text/*": "csv",
    "application/vnd.apache.arrow.stream": "arrow",
}


class SqlEndpoint:
    """An ASGI application. `region` is the one that requests are signed for, `seconds` is what a query may take."""

    def __init__(
        self,
        data: Path,
        region: str,
        seconds: float,
        find_user: FindUser,
        authenticate: Authenticate = authenticate,
    ) -> None:
        self.data = data
        self.seconds = seconds
        self.region = region
        self.find_user = find_user
        self.authenticate = authenticate

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request.identify(scope, receive)
        try:
            request.locate()
            identity = self.authenticate(request, self.find_user, self.region, time.time())
            if identity.user is None:
                raise S3Error("AccessDenied")
            form = wanted_form(request)
            statement = await take_statement(request, identity)
            owner = None if identity.user.id == ROOT_ID else identity.user.id
            async with aclosing(until_gone(request, ask(self.data, statement, owner, form))) as answers:
                # What goes wrong before the first rows is an answer of its own.
                first = await self.first_rows(answers)
                await stream(request, form, first, answers, send)
        except ClientDisconnect:
            return
        except Broken as broken:
            # Without an end to the answer the server closes the connection.
            report(request, "the answer broke off", broken.failure)
        except Exception as failure:
            answer, _ = refusal(request, failure)
            await respond(request, answer, send, scope.get("extensions", ()))

    async def first_rows(self, answers: Answers) -> Rows | End:
        """Raises CatalogUnusable where nothing comes though the time of a query is over: nobody is there to end it."""
        try:
            async with asyncio.timeout(self.seconds + PATIENCE):
                return await first_rows(answers)
        except TimeoutError:
            raise CatalogUnusable("the catalog process does not answer") from None


class Broken(Exception):
    """`failure` came when part of the answer was out."""

    def __init__(self, failure: Exception) -> None:
        self.failure = failure


def wanted_form(request: Request) -> str:
    """By the parameter `format`, else by Accept. Raises InvalidArgument."""
    named = request.query.get("format")
    if named is not None:
        if named not in CONTENT_TYPES:
            raise invalid_argument(f"format is one of {', '.join(CONTENT_TYPES)}", "format", named)
        return named
    accept = request.headers.get("accept", "*/*")
    for each in accept.split(","):
        form = ACCEPTED.get(each.partition(";")[0].strip().lower())
        if form is not None:
            return form
    raise invalid_argument(f"Accept is to name one of {', '.join(ACCEPTED)}", "Accept", accept)


async def take_statement(request: Request, identity: Identity) -> str:
    """Raises what a body can, MethodNotAllowed and InvalidRequest."""
    if request.method == "GET":
        statement = request.query.get("query", "")
    elif request.method == "POST":
        request.body = open_body(request, identity.payload)
        try:
            statement = (await request.body.read(LONGEST_STATEMENT)).decode()
        except UnicodeDecodeError:
            raise S3Error("InvalidRequest", "The statement is not UTF-8.") from None
    else:
        raise S3Error("MethodNotAllowed", headers={"allow": "GET, POST"})
    if not statement.strip():
        raise S3Error("InvalidRequest", "There is no statement: it is the body of a POST, or the parameter query.")
    return statement


async def until_gone(request: Request, answers: Answers) -> Answers:
    """Raises ClientDisconnect as soon as the client hangs up; the query is stopped then."""
    gone = asyncio.ensure_future(disconnected(request))
    coming: asyncio.Future[Columns | Rows | End] | None = None
    try:
        while True:
            coming = asyncio.ensure_future(anext(answers))
            await asyncio.wait({gone, coming}, return_when=asyncio.FIRST_COMPLETED)
            if not coming.done():
                raise ClientDisconnect
            answer = await coming
            yield answer
            if isinstance(answer, End):
                return
    finally:
        gone.cancel()
        if coming is not None and not coming.done():
            coming.cancel()
            with suppress(asyncio.CancelledError):
                await coming
        await answers.aclose()


async def first_rows(answers: Answers) -> Rows | End:
    async for answer in answers:
        if not isinstance(answer, Columns):
            return answer
    raise ClientDisconnect


async def stream(request: Request, form: str, first: Rows | End, answers: Answers, send: Send) -> None:
    headers = [
        (b"content-type", CONTENT_TYPES[form].encode()),
        (b"x-amz-request-id", request.request_id.encode()),
        (b"x-amz-id-2", request.host_id.encode()),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    try:
        if isinstance(first, Rows):
            await send({"type": "http.response.body", "body": first.data, "more_body": True})
            async for answer in answers:
                if isinstance(answer, Rows):
                    await send({"type": "http.response.body", "body": answer.data, "more_body": True})
    except ClientDisconnect:
        raise
    except Exception as failure:
        raise Broken(failure) from failure
    await send({"type": "http.response.body"})
