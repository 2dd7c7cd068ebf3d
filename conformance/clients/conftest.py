from __future__ import annotations

from pathlib import Path
from urllib.request import ProxyHandler, build_opener

import pytest

from conformance.clients.tree import plant


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    return plant(tmp_path / "tree")


@pytest.fixture
def fetch() -> object:
    """Gets a URL with nothing but the URL."""
    opener = build_opener(ProxyHandler({}))
    return lambda url: opener.open(url).read()
