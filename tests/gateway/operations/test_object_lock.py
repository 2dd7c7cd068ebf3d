from __future__ import annotations

from typing import Any

import pytest

from catalog.errors import LockNeedsVersioning
from catalog.records import ObjectLock
from gateway.operations.buckets import create_bucket
from gateway.operations.object_lock import (
    get_object_lock_configuration,
    put_object_lock_configuration,
    read_configuration,
)
from gateway.operations.versioning import put_bucket_versioning
from gateway.s3.errors import S3Error
from tests.gateway.conftest import NewContext


def rule(**retention: Any) -> dict[str, Any]:
    return {"object_lock_enabled": "Enabled", "rule": {"default_retention": retention}}


@pytest.mark.parametrize(
    "given, expected",
    [
        ({"object_lock_enabled": "Enabled"}, ObjectLock()),
        (rule(mode="GOVERNANCE", days=1), ObjectLock("GOVERNANCE", 1)),
        (rule(mode="COMPLIANCE", years=100), ObjectLock("COMPLIANCE", years=100)),
    ],
)
def test_configurations(given: dict[str, Any], expected: ObjectLock) -> None:
    assert read_configuration(given) == expected


@pytest.mark.parametrize(
    "given, code",
    [
        ({}, "MalformedXML"),
        ({"rule": {"default_retention": {"mode": "GOVERNANCE", "days": 1}}}, "MalformedXML"),
        ({"object_lock_enabled": "Enabled", "rule": {}}, "MalformedXML"),
        (rule(mode="GOVERNANCE"), "MalformedXML"),
        (rule(days=1), "MalformedXML"),
        (rule(mode="GOVERNANCE", days=1, years=1), "MalformedXML"),
        (rule(mode="GOVERNANCE", days=0), "InvalidArgument"),
        (rule(mode="GOVERNANCE", days=36_501), "InvalidArgument"),
        (rule(mode="GOVERNANCE", years=101), "InvalidArgument"),
    ],
)
def test_what_is_none(given: dict[str, Any], code: str) -> None:
    with pytest.raises(S3Error) as refused:
        read_configuration(given)
    assert refused.value.code == code


async def test_a_bucket_that_was_there_before(context: NewContext) -> None:
    await create_bucket(context(), "made")
    given = rule(mode="GOVERNANCE", days=1)
    with pytest.raises(LockNeedsVersioning):
        await put_object_lock_configuration(context("made"), "made", given)
    with pytest.raises(S3Error) as refused:
        await get_object_lock_configuration(context("made"), "made")
    assert refused.value.code == "ObjectLockConfigurationNotFoundError"
    await put_bucket_versioning(context("made"), "made", {"status": "Enabled"})
    await put_object_lock_configuration(context("made"), "made", given)
    found = await get_object_lock_configuration(context("made"), "made")
    assert found["object_lock_configuration"]["rule"]["default_retention"]["days"] == 1
    with pytest.raises(LockNeedsVersioning):
        await put_bucket_versioning(context("made"), "made", {"status": "Suspended"})
