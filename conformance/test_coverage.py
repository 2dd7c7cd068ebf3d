"""Every operation that is built has a file of tests here, and every such file an operation."""

from __future__ import annotations

import importlib
from pathlib import Path

from botocore import xform_name

HERE = Path(__file__).parent
# What belongs to no one operation.
ACROSS = {
    "authentication",
    "presigned",
    "payload_modes",
    "errors",
    "connections",
    "keys",
    "not_built",
    "coverage",
    "against_moto",
    "virtual_hosts",
    "cors",
    "policies",
    "access_docs",
    "acls",
    "post_object",
    "users",
    "slow_clients",
    "slow_down",
    "backup",
    "import",
    "inventory",
    "lifecycle",
    "notifications",
    "scrub",
    "scrub_repair",
    "background_scrub",
    "tls",
    "health",
    "sql",
    "rolling_restart",
    "workers",
    "compaction",
    "requests",
    "access_logs",
    "server_side_encryption",
    "customer_keys",
    "kms_keys",
}


def built() -> set[str]:
    importlib.import_module("gateway.operations").load()
    model = importlib.import_module("gateway.s3.model")
    return {xform_name(name) for name, operation in model.operations.items() if operation.handler is not None}


def files() -> set[str]:
    return {path.stem.removeprefix("test_") for path in HERE.glob("test_*.py")}


def test_each_operation_has_its_file() -> None:
    assert built() - files() == set()


def test_each_file_belongs_to_an_operation() -> None:
    # An operation with much to it has further files that begin with its name.
    strangers = {name for name in files() - ACROSS if not any(name.startswith(one) for one in built())}
    assert strangers == set()
