from __future__ import annotations

from typing import Any

import pytest

from catalog.records import Bucket
from gateway.operations.acl import OWNERS_OWN, PUBLIC, check_canned, check_given, check_policy, owners_acl
from gateway.s3.errors import S3Error

OWNER = "f" * 64
EVERYBODY = {"type": "Group", "uri": "http://acs.amazonaws.com/groups/global/AllUsers"}


def bucket(**settings: str) -> Bucket:
    return Bucket(1, "made", OWNER, 0, "us-east-1", settings=settings or None)


ACLS_OFF = bucket()
BLOCKED = bucket(ownership_controls="ObjectWriter")
OPEN = bucket(ownership_controls="ObjectWriter", public_access_block="")


@pytest.mark.parametrize("acl", sorted(OWNERS_OWN))
@pytest.mark.parametrize("where", [ACLS_OFF, BLOCKED, OPEN])
def test_the_owners_own_is_taken_everywhere(where: Bucket, acl: str) -> None:
    check_canned(where, acl)


@pytest.mark.parametrize(
    "where, acl, code",
    [
        *((ACLS_OFF, acl, "AccessControlListNotSupported") for acl in [*sorted(PUBLIC), "log-delivery-write"]),
        *((BLOCKED, acl, "AccessDenied") for acl in sorted(PUBLIC)),
        (BLOCKED, "log-delivery-write", "NotImplemented"),
        *((OPEN, acl, "NotImplemented") for acl in sorted(PUBLIC)),
    ],
)
def test_what_gives_others_something_is_refused(where: Bucket, acl: str, code: str) -> None:
    with pytest.raises(S3Error) as refused:
        check_canned(where, acl)
    assert refused.value.code == code


@pytest.mark.parametrize("where", [ACLS_OFF, BLOCKED, OPEN])
def test_what_is_read_may_be_put(where: Bucket) -> None:
    check_policy(where, owners_acl(where))
    check_policy(where, {"grants": owners_acl(where)["grants"]})


@pytest.mark.parametrize(
    "where, code",
    [(ACLS_OFF, "AccessControlListNotSupported"), (BLOCKED, "AccessDenied"), (OPEN, "NotImplemented")],
)
def test_a_grant_to_everybody(where: Bucket, code: str) -> None:
    grants = [*owners_acl(where)["grants"], {"grantee": EVERYBODY, "permission": "READ"}]
    with pytest.raises(S3Error) as refused:
        check_policy(where, {"grants": grants})
    assert refused.value.code == code


@pytest.mark.parametrize(
    "grants",
    [
        None,
        [{"grantee": {"id": OWNER}, "permission": "READ"}],
        [{"grantee": {"id": "e" * 64}, "permission": "FULL_CONTROL"}],
        [{"permission": "FULL_CONTROL"}],
    ],
)
def test_less_than_the_owners_full_control(grants: list[dict[str, Any]] | None) -> None:
    with pytest.raises(S3Error) as refused:
        check_policy(BLOCKED, {"owner": {"id": OWNER}, "grants": grants})
    assert refused.value.code == "NotImplemented"


def test_an_acl_does_not_change_the_owner() -> None:
    with pytest.raises(S3Error, match="AccessDenied"):
        check_policy(OPEN, {**owners_acl(OPEN), "owner": {"id": "e" * 64}})


@pytest.mark.parametrize(
    "acl, policy, code",
    [(None, None, "MissingSecurityHeader"), ("private", owners_acl(ACLS_OFF), "UnexpectedContent")],
)
def test_one_of_header_and_document(acl: str | None, policy: dict[str, Any] | None, code: str) -> None:
    with pytest.raises(S3Error) as refused:
        check_given(ACLS_OFF, acl, policy)
    assert refused.value.code == code
