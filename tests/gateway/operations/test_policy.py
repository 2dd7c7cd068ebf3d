from __future__ import annotations

import pytest

from catalog.records import User
from gateway.access import ROOT_ID
from gateway.operations.buckets import create_bucket
from gateway.operations.policy import (
    delete_bucket_policy,
    get_bucket_policy,
    get_bucket_policy_status,
    put_bucket_policy,
    resolving,
)
from gateway.s3.errors import S3Error
from tests.gateway.access.asking import policy
from tests.gateway.conftest import NewContext

BOB = User("b" * 64, "bob", "BOBACCESSKEY", "")
TWIN = User("c" * 64, "twin", "bob", "")
POLICY = policy({"Principal": {"AWS": "root"}, "Resource": "arn:aws:s3:::made/*"})


async def test_kept_with_whom_it_meant_and_removed_without_a_trace(context: NewContext) -> None:
    await create_bucket(context(), "made")
    before = context("made").here
    await put_bucket_policy(context("made"), "made", POLICY)
    assert context("made").here.settings == {"policy": POLICY, "policy_principals": f'{{"AWS:root":"{ROOT_ID}"}}'}
    assert await get_bucket_policy(context("made"), "made") == {"policy": POLICY}
    assert await get_bucket_policy_status(context("made"), "made") == {"policy_status": {"is_public": False}}
    await delete_bucket_policy(context("made"), "made")
    assert context("made").here == before
    for read in (get_bucket_policy, get_bucket_policy_status):
        with pytest.raises(S3Error, match="NoSuchBucketPolicy"):
            await read(context("made"), "made")


async def test_a_public_one_is_blocked(context: NewContext) -> None:
    await create_bucket(context(), "made")
    before = context("made").here
    with pytest.raises(S3Error, match="AccessDenied"):
        await put_bucket_policy(context("made"), "made", policy({"Resource": "arn:aws:s3:::made/*"}))
    assert context("made").here == before


@pytest.mark.parametrize(
    ("kind", "name", "meant"),
    [
        ("AWS", "arn:aws:iam::000000000000:user/bob", BOB.id),
        ("AWS", "arn:aws:iam:::user/bob", BOB.id),
        ("AWS", "arn:aws:iam::000000000000:root", ROOT_ID),
        ("AWS", "arn:aws:iam::000000000000:user/root", None),
        ("AWS", "arn:aws:iam::123456789012:user/bob", None),
        ("AWS", BOB.id, BOB.id),
        ("AWS", "BOBACCESSKEY", BOB.id),
        ("AWS", "bob", None),  # bob's name, and the key of another
        ("AWS", "twin", TWIN.id),
        ("AWS", "", None),
        ("CanonicalUser", BOB.id, BOB.id),
        ("CanonicalUser", "twin", None),
        ("Service", "logging.s3.amazonaws.com", "logging.s3.amazonaws.com"),
        ("Service", "delivery.logs.amazonaws.com", "delivery.logs.amazonaws.com"),
        ("Service", "logging.s3.amazonaws.comkaboom", None),
        ("Service", "bob", None),
        ("Service", "*", None),
        ("AWS", "logging.s3.amazonaws.com", None),
    ],
)
def test_whom_a_principal_names(kind: str, name: str, meant: str | None) -> None:
    noted: dict[str, str] = {}
    assert resolving([BOB, TWIN], noted)(kind, name) == meant
    assert noted == ({} if meant is None else {f"{kind}:{name}": meant})
