"""The Starlette application and its lifespan: opens catalog and blobs, and wires."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from contextlib import asynccontextmanager
from functools import partial

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from catalog import Catalog
from catalog.freeing import Freeing
from catalog.priority import give_way
from catalog.records import User
from gateway import operations
from gateway.access import ROOT_ID
from gateway.blobs import Blobs
from gateway.encryption import keyring
from gateway.endpoint import Endpoint, Receive, Scope, Send
from gateway.health import described, readiness
from gateway.request import bucket_of
from gateway.settings import Settings
from gateway.sql import SqlEndpoint

SQL_PATH = b"/-/sql"
HASHING_NICENESS = 15  # with every core taken it goes on, but slowly: who only reads does not feel uploads
OWN_PATHS = b"/-/"  # never a bucket: their names have three characters or more


class Application:
    """S3 goes straight to the endpoint, SQL to its own; Starlette has the lifespan and how the server is doing."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.own = Starlette(
            routes=[Route("/-/health/live", self.live), Route("/-/health/ready", self.ready)],
            lifespan=self.lifespan,
        )

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] != "http":
            return self.own(scope, receive, send)
        path = scope["raw_path"]
        if path.startswith(OWN_PATHS) and self.is_own(scope):
            return (self.sql if path == SQL_PATH else self.own)(scope, receive, send)
        return self.endpoint(scope, receive, send)

    def slow_down(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """As a call, of which there are too many: only how the server is doing is answered as always."""
        path = scope["raw_path"]
        if path.startswith(OWN_PATHS) and path != SQL_PATH and self.is_own(scope):
            return self.own(scope, receive, send)
        return self.endpoint(scope, receive, send, crowded=True)

    def is_own(self, scope: Scope) -> bool:
        """Whether such a path is the server's: on a bucket's own host it is a key."""
        host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
        return bucket_of(host, self.settings.domains) is None

    @asynccontextmanager
    async def lifespan(self, app: Starlette) -> AsyncIterator[None]:
        operations.load()
        settings = self.settings
        begin = partial(give_way, HASHING_NICENESS)
        self.blobs = blobs = Blobs(settings.data, begin, Freeing().remove, keyring(settings))
        self.catalog = catalog = Catalog.open(settings.data, settings.max_commits)
        catalog.on_dead_blobs = lambda dead: void(blobs.pool.submit(blobs.unlink, dead))
        root = User(ROOT_ID, "root", settings.root_access_key, settings.root_secret_key)
        self.endpoint = Endpoint(catalog, blobs, settings, root)
        self.sql = SqlEndpoint(
            settings.data, settings.region, settings.sql_seconds, self.endpoint.find_user, self.endpoint.authenticate
        )
        yield
        await catalog.close()
        blobs.close()
        self.endpoint.close()

    async def live(self, request: Request) -> Response:
        return PlainTextResponse("live\n")

    async def ready(self, request: Request) -> Response:
        found = await readiness(self.catalog)
        return JSONResponse(described(found), 200 if found.ready else 503)


def void(_: object) -> None:
    pass
