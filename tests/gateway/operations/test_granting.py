from __future__ import annotations

from typing import Any

import pytest

from catalog.records import Bucket, Origin, User
from gateway.access.acl import ALL_USERS, ANONYMOUS_ID, AUTHENTICATED_USERS, FULL_CONTROL, Grant, private
from gateway.operations import Context
from gateway.operations.buckets import create_bucket
from gateway.operations.granting import (
    OWNERS_OWN,
    TO_OTHERS,
    Author,
    Wish,
    author_of,
    canned,
    granted_by_document,
    granted_by_headers,
    read_header,
)
from gateway.operations.ownership import put_bucket_ownership_controls
from gateway.operations.public_access import delete_public_access_block
from gateway.s3.errors import S3Error
from tests.gateway.conftest import ALICE, NewContext

BOB = User("b" * 64, "bob", "BOBACCESSKEY", "", email="bob@example.com")
TWINS = [User(letter * 64, f"twin-{letter}", f"TWIN{letter}", "", email="twin@example.com") for letter in "cd"]
OWNER = ALICE.id


def bucket(**settings: str) -> Bucket:
    return Bucket(1, "made", OWNER, 0, "us-east-1", settings=settings or None)


ACLS_OFF = bucket()
BLOCKED = bucket(ownership_controls="ObjectWriter")
OPEN = bucket(ownership_controls="ObjectWriter", public_access_block="")


@pytest.fixture
async def cx(context: NewContext) -> Context:
    """In a bucket of alice's that takes any ACL."""
    made = context()
    for user in (BOB, *TWINS):
        made.catalog.create_user(Origin(), user)
    await create_bucket(made, "made", object_ownership="ObjectWriter")
    await delete_public_access_block(context("made"), "made")
    return context("made")


@pytest.mark.parametrize("acl", sorted(OWNERS_OWN))
@pytest.mark.parametrize("where", [ACLS_OFF, BLOCKED, OPEN])
def test_the_owners_own_is_taken_everywhere(cx: Context, where: Bucket, acl: str) -> None:
    assert granted_by_headers(cx, where, Wish(acl), OWNER) == private(OWNER)


@pytest.mark.parametrize(
    "where, acl, code",
    [
        *((ACLS_OFF, acl, "AccessControlListNotSupported") for acl in sorted(TO_OTHERS)),
        *((BLOCKED, acl, "AccessDenied") for acl in ("public-read", "public-read-write", "authenticated-read")),
    ],
)
def test_what_gives_others_something_is_refused(cx: Context, where: Bucket, acl: str, code: str) -> None:
    with pytest.raises(S3Error) as refused:
        granted_by_headers(cx, where, Wish(acl), OWNER)
    assert refused.value.code == code


def test_what_canned_acls_mean() -> None:
    assert canned(OPEN, "public-read-write", OWNER) == (
        *private(OWNER),
        Grant("READ", uri=ALL_USERS),
        Grant("WRITE", uri=ALL_USERS),
    )
    assert canned(OPEN, "authenticated-read", BOB.id) == (*private(BOB.id), Grant("READ", uri=AUTHENTICATED_USERS))
    assert canned(OPEN, "bucket-owner-read", BOB.id) == (*private(BOB.id), Grant("READ", OWNER))
    assert canned(OPEN, "bucket-owner-full-control", BOB.id) == (*private(BOB.id), Grant(FULL_CONTROL, OWNER))


def test_headers_that_grant(cx: Context) -> None:
    value = f'id="{BOB.id}", emailAddress=BOB@example.com ,uri="{ALL_USERS}"'
    found = read_header(cx, "READ", value)
    assert found == [Grant("READ", BOB.id), Grant("READ", BOB.id), Grant("READ", uri=ALL_USERS)]
    wish = Wish(None, f"id={BOB.id}", None, None, None, f"id={OWNER}")
    assert granted_by_headers(cx, OPEN, wish, OWNER) == (Grant(FULL_CONTROL, BOB.id), Grant("WRITE", OWNER))
    assert granted_by_headers(cx, OPEN, Wish(), OWNER) is None


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("nonsense", "InvalidArgument"),
        (f"name={OWNER}", "InvalidArgument"),
        (f"id={OWNER} x", "InvalidArgument"),
        ("id=nobody", "InvalidArgument"),
        ("id=", "InvalidArgument"),
        ("uri=http://example.com/", "InvalidArgument"),
        ("emailAddress=nobody@example.com", "UnresolvableGrantByEmailAddress"),
        ("emailAddress=", "UnresolvableGrantByEmailAddress"),
        ("emailAddress=twin@example.com", "AmbiguousGrantByEmailAddress"),
    ],
)
def test_headers_that_grant_to_nobody(cx: Context, value: str, code: str) -> None:
    with pytest.raises(S3Error) as refused:
        read_header(cx, "READ", value)
    assert refused.value.code == code


def test_one_way_to_say_it(cx: Context) -> None:
    with pytest.raises(S3Error, match="InvalidRequest"):
        granted_by_headers(cx, OPEN, Wish("private", f"id={OWNER}"), OWNER)
    with pytest.raises(S3Error, match="AccessControlListNotSupported"):
        granted_by_headers(cx, ACLS_OFF, Wish(None, f"id={OWNER}"), OWNER)
    with pytest.raises(S3Error, match="AccessDenied"):
        granted_by_headers(cx, BLOCKED, Wish(None, f"uri={ALL_USERS}"), OWNER)


HIS = {"owner": {"id": OWNER}}
FULL = {"grantee": {"id": OWNER, "type": "CanonicalUser"}, "permission": FULL_CONTROL}
READ = {"grantee": {"uri": ALL_USERS, "type": "Group"}, "permission": "READ"}
MAIL = {"grantee": {"email_address": "bob@example.com", "type": "AmazonCustomerByEmail"}, "permission": "WRITE"}


def test_documents(cx: Context) -> None:
    grants = (Grant(FULL_CONTROL, OWNER), Grant("READ", uri=ALL_USERS), Grant("WRITE", BOB.id))
    assert granted_by_document(cx, OPEN, HIS | {"grants": [FULL, READ, MAIL]}, OWNER) == grants
    assert granted_by_document(cx, OPEN, HIS, OWNER) == ()
    assert granted_by_document(cx, ACLS_OFF, HIS | {"grants": [FULL]}, OWNER) == private(OWNER)


@pytest.mark.parametrize(
    ("where", "document", "code"),
    [
        (OPEN, {"owner": {"id": BOB.id}, "grants": [FULL]}, "AccessDenied"),
        (OPEN, {"owner": {"id": "nobody"}, "grants": [FULL]}, "InvalidArgument"),
        (OPEN, {"grants": [FULL]}, "MalformedACLError"),
        (ACLS_OFF, HIS | {"grants": [FULL | {"permission": "ALL"}]}, "MalformedACLError"),
        (ACLS_OFF, HIS | {"grants": [{"grantee": {"uri": "http://x/"}, "permission": "READ"}]}, "InvalidArgument"),
        (BLOCKED, HIS | {"grants": [FULL, READ]}, "AccessDenied"),
        (ACLS_OFF, HIS | {"grants": [FULL, READ]}, "AccessControlListNotSupported"),
        (ACLS_OFF, HIS | {"grants": [FULL | {"permission": "READ"}]}, "AccessControlListNotSupported"),
        (ACLS_OFF, HIS, "AccessControlListNotSupported"),
        (OPEN, HIS | {"grants": [{"permission": "READ"}]}, "MalformedACLError"),
        (OPEN, HIS | {"grants": [FULL | {"permission": "ALL"}]}, "MalformedACLError"),
        (OPEN, HIS | {"grants": [{"grantee": FULL["grantee"]}]}, "MalformedACLError"),
        (OPEN, HIS | {"grants": [FULL] * 101}, "MalformedACLError"),
        (OPEN, HIS | {"grants": [{"grantee": {"id": "nobody"}, "permission": "READ"}]}, "InvalidArgument"),
    ],
)
def test_documents_that_are_refused(cx: Context, where: Bucket, document: dict[str, Any], code: str) -> None:
    with pytest.raises(S3Error) as refused:
        granted_by_document(cx, where, document, OWNER)
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("ownership", "acl", "owner"),
    [
        ("BucketOwnerEnforced", None, OWNER),
        ("BucketOwnerEnforced", "bucket-owner-full-control", OWNER),
        ("BucketOwnerPreferred", None, BOB.id),
        ("BucketOwnerPreferred", "private", BOB.id),
        ("BucketOwnerPreferred", "bucket-owner-full-control", OWNER),
        ("ObjectWriter", "bucket-owner-full-control", BOB.id),
    ],
)
async def test_whose_a_new_object_is(
    cx: Context, context: NewContext, ownership: str, acl: str | None, owner: str
) -> None:
    rule = {"object_ownership": ownership}
    await put_bucket_ownership_controls(context("made"), "made", {"rules": [rule]})
    assert author_of(context("made", BOB), "key", Wish(acl)).owner == owner


async def test_the_author_of_who_has_no_name(cx: Context, context: NewContext) -> None:
    nobody = User("", "", "", "")
    assert author_of(context("made", nobody), "key", Wish()) == Author(ANONYMOUS_ID)


async def test_what_others_get_is_the_writers_to_give(cx: Context, context: NewContext) -> None:
    with pytest.raises(S3Error, match="AccessDenied"):
        author_of(context("made", BOB), "key", Wish("public-read"))
    assert author_of(context("made", BOB), "key", Wish(None, f"id={OWNER}")).acl == f'[["FULL_CONTROL","{OWNER}",""]]'
    assert author_of(cx, "key", Wish("public-read")).acl is not None
