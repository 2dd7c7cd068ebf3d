from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalog.errors import ObjectLocked
from catalog.records import Lock
from gateway.body import Body
from gateway.operations import Context
from gateway.operations.buckets import create_bucket
from gateway.operations.deleting import delete_object
from gateway.operations.locking import get_object_legal_hold, get_object_retention, put_object_legal_hold
from gateway.operations.locking import put_object_retention as retain
from gateway.operations.objects import put_object
from gateway.s3.errors import S3Error
from gateway.s3.model import operations
from tests.gateway.conftest import NewContext

At = Callable[..., Context]
LATER = 4_102_444_800_000
BYTES = {"content_md5": "XUFAKrxLKna5cZ2REBfFkg=="}


@pytest.mark.parametrize(
    "name", ["GetObjectRetention", "PutObjectRetention", "GetObjectLegalHold", "PutObjectLegalHold"]
)
async def test_a_bucket_without_object_lock(context: NewContext, name: str) -> None:
    await create_bucket(context(), "made")
    handler = operations[name].handler
    assert handler is not None
    given = {"legal_hold": {"status": "ON"}} if name == "PutObjectLegalHold" else {}
    with pytest.raises(S3Error) as refused:
        await handler(context("made"), bucket="made", key="key", **given)
    assert (refused.value.code, refused.value.status) == ("InvalidRequest", 400)


@pytest.fixture
async def locked(at: At) -> Callable[[], Context]:
    await create_bucket(at(), "locked", object_lock_enabled_for_bucket=True)
    return lambda: at("locked")


async def test_lock_given_with_the_object(locked: Callable[[], Context], sent: Callable[..., Body]) -> None:
    lock = {"object_lock_mode": "GOVERNANCE", "object_lock_retain_until_date": LATER}
    put = await put_object(locked(), "locked", "k", sent(b"hello"), **BYTES, **lock, object_lock_legal_hold_status="ON")
    assert locked().catalog.get(locked().here, "k").lock == Lock("GOVERNANCE", LATER, "ON")
    for bypass in (None, False, True):
        with pytest.raises(ObjectLocked):
            await delete_object(locked(), "locked", "k", bypass, version_id=put["version_id"])
    await put_object_legal_hold(locked(), "locked", "k", {"status": "OFF"})
    assert await get_object_legal_hold(locked(), "locked", "k") == {"legal_hold": {"status": "OFF"}}
    with pytest.raises(ObjectLocked):
        await delete_object(locked(), "locked", "k", version_id=put["version_id"])
    await delete_object(locked(), "locked", "k", True, version_id=put["version_id"])


async def test_bytes_without_a_digest(locked: Callable[[], Context], sent: Callable[..., Body]) -> None:
    with pytest.raises(S3Error) as refused:
        await put_object(locked(), "locked", "k", sent(b"hello"), object_lock_legal_hold_status="OFF")
    assert refused.value.code == "InvalidRequest"
    await put_object(locked(), "locked", "k", sent(b"hello"))


@pytest.mark.parametrize(
    "given",
    [
        None,
        {"mode": "GOVERNANCE"},
        {"retain_until_date": LATER},
    ],
)
async def test_retention_that_is_none(locked: Callable[[], Context], given: dict[str, Any] | None) -> None:
    with pytest.raises(S3Error) as refused:
        await retain(locked(), "locked", "k", retention=given)
    assert refused.value.code == "MalformedXML"


async def test_retention_comes_and_goes(locked: Callable[[], Context], sent: Callable[..., Body]) -> None:
    await put_object(locked(), "locked", "k", sent(b"hello"))
    wanted = {"mode": "GOVERNANCE", "retain_until_date": LATER}
    await retain(locked(), "locked", "k", retention=wanted)
    assert await get_object_retention(locked(), "locked", "k") == {"retention": wanted}
    with pytest.raises(ObjectLocked):
        await retain(locked(), "locked", "k", retention={})
    await retain(locked(), "locked", "k", True, {})
    with pytest.raises(S3Error) as refused:
        await get_object_retention(locked(), "locked", "k")
    assert (refused.value.code, refused.value.status) == ("NoSuchObjectLockConfiguration", 404)
