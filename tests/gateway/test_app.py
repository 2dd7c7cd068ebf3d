from __future__ import annotations

import os
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from gateway.app import HASHING_NICENESS, Application
from gateway.settings import Settings
from tests.gateway.asgi import ask


@pytest.fixture
async def application(settings: Settings) -> AsyncIterator[Application]:
    application = Application(replace(settings, domains=("s3.example.com",)))
    async with application.lifespan(application.own):
        yield application


async def test_health(application: Application) -> None:
    assert (await ask(application, "GET", "/-/health/live")).status == 200
    ready = await ask(application, "GET", "/-/health/ready")
    assert ready.status == 503 and b"the catalog process does not answer" in ready.body
    assert (await ask(application, "GET", "/-/absent")).status == 404


async def test_everything_else_is_s3(application: Application) -> None:
    for path in ("/", "/-", "/bucket/-/health/live"):
        assert "x-amz-request-id" in (await ask(application, "GET", path)).headers


async def test_on_the_host_of_a_bucket_such_paths_are_keys(application: Application) -> None:
    answer = await ask(application, "GET", "/-/health/live", {"host": "bucket.s3.example.com"})
    assert "x-amz-request-id" in answer.headers
    answer = await ask(application, "GET", "/-/health/live", {"host": "s3.example.com"})
    assert answer.status == 200


async def test_threads_that_work_on_bodies_give_way_to_the_event_loop(application: Application) -> None:
    theirs = application.blobs.pool.submit(os.getpriority, os.PRIO_PROCESS, 0).result()
    assert theirs == max(os.getpriority(os.PRIO_PROCESS, 0), HASHING_NICENESS)
