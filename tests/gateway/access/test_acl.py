from __future__ import annotations

import json

import pytest

from catalog.records import Bucket, User, Version
from gateway.access import ANONYMOUS
from gateway.access.acl import (
    ALL_USERS,
    AUTHENTICATED_USERS,
    FULL_CONTROL,
    Grant,
    acls_on,
    bucket_grants,
    granted,
    is_foreign,
    is_public,
    kept_grants,
    object_grants,
    private,
)
from gateway.access.deciding import may_grant, permits
from tests.gateway.access.asking import ALICE, BOB, CAROL, Held, ask, bucket_of, policy
from tests.gateway.conftest import ROOT

OPEN = {"ownership_controls": "ObjectWriter", "public_access_block": "deleted"}


def with_acl(*grants: Grant, **settings: str) -> Bucket:
    return bucket_of(OPEN | {"acl": kept(*grants)} | settings)


def kept(*grants: Grant) -> str:
    text = kept_grants(grants, "")
    assert text is not None
    return text


def written(owner: User, *grants: Grant) -> Held:
    return Held(key=Version(1, "", 0, "", 0, "", owner.id, acl=kept(*grants) if grants else None))


TO_BOB = [Grant(permission, BOB.id) for permission in ("READ", "WRITE", "READ_ACP", "WRITE_ACP", FULL_CONTROL)]
READ, WRITE, READ_ACP, WRITE_ACP, FULL = TO_BOB


@pytest.mark.parametrize(
    ("grant", "actions"),
    [
        (READ, {"s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"}),
        (WRITE, {"s3:PutObject"}),
        (READ_ACP, {"s3:GetBucketAcl"}),
        (WRITE_ACP, {"s3:PutBucketAcl"}),
        (
            FULL,
            {
                *("s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads"),
                *("s3:PutObject", "s3:GetBucketAcl", "s3:PutBucketAcl"),
            },
        ),
    ],
)
def test_what_a_buckets_acl_lets_others_do(grant: Grant, actions: set[str]) -> None:
    known = ["s3:ListBucket", "s3:ListBucketVersions", "s3:ListBucketMultipartUploads", "s3:PutObject"]
    known += ["s3:GetBucketAcl", "s3:PutBucketAcl", "s3:GetBucketPolicy", "s3:DeleteBucket", "s3:GetObject"]
    held = written(ALICE)
    assert {action for action in known if granted(action, ask(with_acl(grant), held=held))} == actions
    assert not any(granted(action, ask(with_acl(grant), caller=CAROL, held=held)) for action in known)


@pytest.mark.parametrize(
    ("grant", "actions"),
    [
        (READ, {"s3:GetObject", "s3:GetObjectVersion"}),
        (WRITE, set()),
        (READ_ACP, {"s3:GetObjectAcl"}),
        (WRITE_ACP, {"s3:PutObjectAcl"}),
        (FULL, {"s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAcl", "s3:PutObjectAcl"}),
    ],
)
def test_what_an_objects_acl_lets_others_do(grant: Grant, actions: set[str]) -> None:
    known = ["s3:GetObject", "s3:GetObjectVersion", "s3:GetObjectAcl", "s3:PutObjectAcl", "s3:DeleteObject"]
    known += ["s3:PutObject", "s3:GetObjectTagging"]
    held = written(ALICE, grant)
    assert {action for action in known if granted(action, ask(with_acl(), held=held))} == actions


@pytest.mark.parametrize(
    ("uri", "caller", "lets"),
    [
        (ALL_USERS, ANONYMOUS, True),
        (ALL_USERS, BOB, True),
        (AUTHENTICATED_USERS, BOB, True),
        (AUTHENTICATED_USERS, ANONYMOUS, False),
        ("http://acs.amazonaws.com/groups/s3/LogDelivery", BOB, False),
    ],
)
def test_groups(uri: str, caller: User, lets: bool) -> None:
    to_group = Grant("READ", uri=uri)
    assert granted("s3:ListBucket", ask(with_acl(to_group), caller=caller)) is lets
    assert granted("s3:GetObject", ask(with_acl(), caller=caller, held=written(ALICE, to_group))) is lets
    ignoring = with_acl(to_group, public_access_block="ignore_public_acls")
    assert not granted("s3:ListBucket", ask(ignoring, caller=caller))


def test_who_has_no_name_is_no_user_of_that_name() -> None:
    held = Held(key=Version(1, "", 0, "", 0, "", ""))
    for action in ("s3:GetObject", "s3:GetObjectAcl", "s3:DeleteObject", "s3:AbortMultipartUpload"):
        assert not granted(action, ask(with_acl(WRITE), caller=ANONYMOUS, held=held)), action


def test_acls_count_where_they_are_on() -> None:
    off = bucket_of({"acl": kept(READ), "public_access_block": "deleted"})
    assert acls_on(with_acl())
    assert acls_on(bucket_of({"ownership_controls": ""}))
    assert not acls_on(off)
    assert not acls_on(bucket_of())
    assert bucket_grants(off) == private(ALICE.id)
    assert object_grants(off, Version(1, "", 0, "", 0, "", BOB.id, acl=kept(READ))) == private(ALICE.id)
    assert not permits("s3:ListBucket", ask(off))


def test_the_writer_owns_the_object_and_not_whose_the_bucket_is() -> None:
    held = written(BOB)
    for caller, reads in ((BOB, True), (ALICE, False), (CAROL, False), (ROOT, True)):
        assert permits("s3:GetObject", ask(with_acl(), caller=caller, held=held)) is reads
    assert is_foreign("s3:GetObject", ask(with_acl(), held=held))
    assert not is_foreign("s3:DeleteObject", ask(with_acl(), held=held))
    # A bucket's owner may always delete, and its policy gives away nothing that is not the owner's.
    assert permits("s3:DeleteObject", ask(with_acl(), caller=ALICE, held=held))
    allows = with_acl(policy=policy({}), policy_principals="{}")
    assert not permits("s3:GetObject", ask(allows, caller=CAROL, held=held))
    assert permits("s3:GetObject", ask(allows, caller=CAROL, held=written(ALICE)))


def test_an_objects_owner_may_always_read_and_change_its_acl() -> None:
    held = written(BOB, Grant("READ", CAROL.id))
    assert permits("s3:GetObjectAcl", ask(with_acl(), held=held))
    assert permits("s3:PutObjectAcl", ask(with_acl(), held=held))
    assert not permits("s3:GetObject", ask(with_acl(), held=held))


def test_who_may_write_deletes_what_is_theirs() -> None:
    assert permits("s3:DeleteObject", ask(with_acl(WRITE), held=written(BOB)))
    assert permits("s3:DeleteObject", ask(with_acl(WRITE), held=Held()))
    assert not permits("s3:DeleteObject", ask(with_acl(WRITE), held=written(ALICE)))
    assert not permits("s3:DeleteObject", ask(with_acl(READ), held=written(BOB)))


def test_a_denial_beats_an_acl() -> None:
    denies = with_acl(READ, policy=policy({"Effect": "Deny", "Action": "s3:ListBucket", "Resource": "*"}))
    assert not permits("s3:ListBucket", ask(denies))
    assert permits("s3:ListBucket", ask(with_acl(READ)))


def test_an_acl_for_others_is_given_by_who_writes_by_acl() -> None:
    assert may_grant(ask(with_acl(WRITE)))
    assert may_grant(ask(with_acl(), caller=ALICE))
    assert not may_grant(ask(with_acl(READ)))
    puts = with_acl(policy=policy({"Action": "s3:PutObject"}))
    assert not may_grant(ask(puts))
    assert may_grant(ask(with_acl(policy=policy({"Action": ["s3:PutObject", "s3:PutObjectAcl"]}))))
    assert not may_grant(ask(with_acl(WRITE, policy=policy({"Effect": "Deny", "Action": "s3:PutObjectAcl"}))))


def test_how_it_is_kept() -> None:
    assert kept_grants(private("a"), "a") is None
    assert kept_grants(private("a"), "b") == '[["FULL_CONTROL","a",""]]'
    assert json.loads(kept(READ, Grant("WRITE", uri=ALL_USERS)))[1] == ["WRITE", "", ALL_USERS]
    assert is_public((READ, Grant("WRITE", uri=AUTHENTICATED_USERS)))
    assert not is_public((READ,))
