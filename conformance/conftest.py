"""One server for each pytest worker, two users besides root, and the ways to speak to it."""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from conformance.raw import Raw
from conformance.server import Keys, Server, create_user, running

ALICE = Keys("ALICEACCESSKEY000001", "alice-secret-key-0123456789-abcdefghij")
ALICE_ID = "a11ce0000000000000000000000000000000000000000000000000000000a11c"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("ducket") / "data") as server:
        create_user(server.data, "alice", ALICE, id=ALICE_ID, display_name="Alice A.", email="a@example.com")
        yield server


@pytest.fixture(scope="session")
def two_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A second server, of two processes on one port."""
    with running(tmp_path_factory.mktemp("ducket") / "data", "--workers", "2") as server:
        yield server


@pytest.fixture(scope="session")
def s3(server: Server) -> Any:
    """boto3 as root."""
    return server.client()


@pytest.fixture(scope="session")
def alice(server: Server) -> Any:
    """boto3 as a user who owns nothing of root's."""
    return server.client(ALICE)


@pytest.fixture(scope="session")
def raw(server: Server) -> Raw:
    return Raw(server)


@pytest.fixture(scope="session")
def new_name() -> Callable[[str], str]:
    """Bucket names that nobody had before, in ascending order."""
    run, count = uuid.uuid4().hex[:8], itertools.count()

    def new_name(stem: str) -> str:
        return f"{stem}-{run}-{next(count):05}"

    return new_name


@pytest.fixture
def bucket(s3: Any, new_name: Callable[[str], str]) -> str:
    name = new_name("bucket")
    s3.create_bucket(Bucket=name)
    return name


@pytest.fixture
def locked(s3: Any, new_name: Callable[[str], str]) -> str:
    """A bucket with Object Lock and no default retention."""
    name = new_name("locked")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    return name


@pytest.fixture
def versioned(s3: Any, new_name: Callable[[str], str]) -> str:
    name = new_name("versioned")
    s3.create_bucket(Bucket=name)
    s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name
