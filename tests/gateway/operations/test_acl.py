from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gateway.access.acl import ALL_USERS
from gateway.operations import Context
from gateway.operations.acl import get_bucket_acl, get_object_acl, put_bucket_acl, put_object_acl
from gateway.operations.ownership import put_bucket_ownership_controls
from gateway.operations.public_access import delete_public_access_block
from gateway.s3.errors import S3Error
from tests.gateway.operations.conftest import ALICE

OWN = {"grantee": {"type": "CanonicalUser", "id": ALICE.id}, "permission": "FULL_CONTROL"}
PUBLIC = {"grantee": {"type": "Group", "uri": ALL_USERS}, "permission": "READ"}
PRIVATE = {"owner": {"id": ALICE.id}, "grants": [OWN]}
PUBLIC_READ = {"owner": {"id": ALICE.id}, "grants": [OWN, PUBLIC]}


async def turn_on(at: Callable[..., Context], ownership: str = "ObjectWriter") -> None:
    await put_bucket_ownership_controls(at(), "b", {"rules": [{"object_ownership": ownership}]})
    await delete_public_access_block(at(), "b")


async def test_a_buckets_own(at: Callable[..., Context]) -> None:
    assert await get_bucket_acl(at(), "b") == PRIVATE
    await turn_on(at)
    await put_bucket_acl(at(), "b", "public-read")
    assert await get_bucket_acl(at(), "b") == PUBLIC_READ
    await put_bucket_acl(at(), "b", access_control_policy=PRIVATE)
    assert await get_bucket_acl(at(), "b") == PRIVATE
    assert "acl" not in (at().here.settings or {})


async def test_an_objects_own(at: Callable[..., Context], put: Callable[..., Any]) -> None:
    await turn_on(at)
    await put("key", b"x", acl="public-read")
    assert await get_object_acl(at(), "b", "key") == PUBLIC_READ
    await put_object_acl(at(), "b", "key", access_control_policy=PRIVATE)
    assert await get_object_acl(at(), "b", "key") == PRIVATE
    await put_object_acl(at(), "b", "key", grant_read=f'uri="{ALL_USERS}"')
    assert await get_object_acl(at(), "b", "key") == PRIVATE | {"grants": [PUBLIC]}
    await put("key", b"x")
    assert await get_object_acl(at(), "b", "key") == PRIVATE


async def test_an_acl_sleeps_while_acls_are_off(at: Callable[..., Context], put: Callable[..., Any]) -> None:
    await turn_on(at)
    await put("key", b"x", acl="public-read")
    await turn_on(at, "BucketOwnerEnforced")
    assert await get_object_acl(at(), "b", "key") == PRIVATE
    await put_object_acl(at(), "b", "key", "bucket-owner-full-control")
    await turn_on(at)
    assert await get_object_acl(at(), "b", "key") == PUBLIC_READ


@pytest.mark.parametrize(
    ("acl", "document", "code"),
    [(None, None, "MissingSecurityHeader"), ("private", PRIVATE, "UnexpectedContent")],
)
async def test_one_of_header_and_document(at: Callable[..., Context], acl: Any, document: Any, code: str) -> None:
    with pytest.raises(S3Error) as refused:
        await put_bucket_acl(at(), "b", acl, document)
    assert refused.value.code == code
