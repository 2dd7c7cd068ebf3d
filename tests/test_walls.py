"""The walls between the rooms: who may import whom, of ours and of others'. Every file is parsed, none is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

# A room, and what of ours it may import besides itself. A file belongs to the longest room that fits it.
ROOMS: dict[str, set[str]] = {
    "gateway.s3": {"catalog.errors", "gateway.blobs.errors"},
    "gateway.blobs": set(),
    "gateway.request": {"gateway.s3.errors", "gateway.body", "gateway.form"},
    "gateway.form": {"gateway.body", "gateway.request", "gateway.s3.errors", "gateway.s3.values"},
    "gateway.auth": {"gateway.form", "gateway.request", "gateway.s3.errors", "catalog.records"},
    "gateway.body": {"gateway.request", "gateway.auth", "gateway.s3.errors"},
    "gateway.access": {"gateway.request", "gateway.s3.errors", "catalog.errors", "catalog.records"},
    "gateway.settings": set(),
    "gateway.access_logs": {"gateway", "catalog"},
    "gateway.cors": {"gateway.request", "gateway.s3.errors", "gateway.s3.rendered", "catalog.records"},
    "gateway.operations": {
        "gateway.notifications.message",
        "gateway.cors",
        "gateway.form",
        "gateway.s3",
        "gateway.blobs",
        "gateway.access",
        "gateway.access_logs.configuration",
        "gateway.body",
        "gateway.request",
        "gateway.settings",
        "catalog",
    },
    "gateway.endpoint": {
        "gateway.form",
        "gateway.cors",
        "gateway.access",
        "gateway.access_logs",
        "gateway.auth",
        "gateway.blobs",
        "gateway.body",
        "gateway.logging",
        "gateway.operations",
        "gateway.recording",
        "gateway.request",
        "gateway.rot",
        "gateway.s3",
        "gateway.settings",
        "catalog",
    },
    "gateway": {"gateway", "catalog"},
    "catalog": set(),
}

# What only these rooms may import of others'.
RESERVED: dict[str, set[str]] = {
    "duckdb": {"catalog.database", "catalog.queries"},
    "pyarrow": {"catalog.database", "catalog.queries"},
    "ibis": {"catalog.queries.backend"},
    "sqlglot": {"catalog.queries.backend"},
    "pandas": {"catalog.queries.handle"},
    "cryptography": {"gateway.blobs"},
    "lmdb": {"catalog"},
    "starlette": {"gateway.app"},
    "uvicorn": {"gateway.worker", "gateway.protocol", "gateway.state"},
    "uvloop": {"gateway.worker"},
    "botocore": {"gateway.s3"},
    "lxml": {"gateway.s3"},
    "urllib3": {"gateway.notifications"},
}

# The gateway knows of the catalog what it shows, and the command line how to ask the database.
SHOWN = {
    "catalog",
    "catalog.records",
    "catalog.errors",
    "catalog.lifecycle",
    "catalog.notifications",
    "catalog.events",
    "catalog.changes",
    "catalog.requests",
    "catalog.rows",
}
BEHIND_THE_SCENES = {
    "gateway.app": {"catalog.freeing", "catalog.priority"},
    "gateway.supervisor": {"catalog.folder", "catalog.database.limits", "catalog.database.remote"},
    "gateway.sql": {"catalog.database.remote", "catalog.database.frames"},
    "gateway.health": {"catalog.database.remote", "catalog.database.frames"},
    "gateway.doctor": {"catalog.database.client", "catalog.database.inspection", "catalog.folder"},
    "gateway.access_logs": {"catalog.freeing", "catalog.priority"},
    "gateway.lifecycle": {"catalog.expiring", "catalog.freeing", "catalog.priority", "catalog.queries"},
    "gateway.notifications": {"catalog.priority", "catalog.queries"},
    "gateway.scrub": {"catalog.backup", "catalog.database.client", "catalog.database.frames", "catalog.priority"},
    "gateway.cli": {
        "catalog.backup",
        "catalog.database.client",
        "catalog.database.frames",
        "catalog.database.limits",
        "catalog.database.migrating",
        "catalog.importing",
        "catalog.queries",
    },
}


def modules() -> list[str]:
    files = sorted((ROOT / "gateway").rglob("*.py")) + sorted((ROOT / "catalog").rglob("*.py"))
    return [".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for file in files]


@pytest.mark.parametrize("module", modules())
def test_a_room_imports_only_what_it_may(module: str) -> None:
    room = max((room for room in ROOMS if within(module, room)), key=len)
    allowed = ROOMS[room] | {room}
    for imported in imports(module):
        if within(imported, "gateway") or within(imported, "catalog"):
            assert any(within(imported, each) for each in allowed), f"{module} imports {imported}"


@pytest.mark.parametrize("module", modules())
def test_a_library_is_imported_only_where_its_place_is(module: str) -> None:
    for imported in imports(module):
        rooms = RESERVED.get(imported.partition(".")[0])
        assert rooms is None or any(within(module, room) for room in rooms), f"{module} imports {imported}"


@pytest.mark.parametrize("module", [module for module in modules() if module.split(".")[0] == "gateway"])
def test_the_gateway_knows_only_what_the_catalog_shows(module: str) -> None:
    shown = SHOWN.union(*(more for room, more in BEHIND_THE_SCENES.items() if within(module, room)))
    for imported in imports(module):
        assert not within(imported, "catalog") or imported in shown, f"{module} imports {imported}"


def imports(module: str) -> Iterator[str]:
    """Modules by their full names; of `from package import name` the name too, if it is a module of ours."""
    for node in ast.walk(ast.parse(source_of(module).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} has a relative import"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
            ours = [name for name in names if source_of(name).exists()]
            yield from ours
            if len(ours) < len(names):
                yield str(node.module)


def source_of(module: str) -> Path:
    place = ROOT.joinpath(*module.split("."))
    return place / "__init__.py" if (place / "__init__.py").exists() else place.with_suffix(".py")


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(f"{room}.")
