from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from catalog import Catalog
from catalog.records import Bucket, Origin, Version

ORIGIN = Origin("root", "127.0.0.1", "REQ")


@pytest.fixture
async def catalog() -> AsyncIterator[Catalog]:
    opened = Catalog.in_memory()
    yield opened
    await opened.close()


@pytest.fixture
async def bucket(catalog: Catalog) -> Bucket:
    return await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")


@pytest.fixture
def draft() -> Version:
    return Version(0, "", 0, "5d41402abc4b2a76b9719d911017c592", 5, "STANDARD", "root")
