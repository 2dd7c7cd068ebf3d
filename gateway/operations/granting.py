"""The ACL that a request asks for: a canned one, headers that grant, or a document.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-ownership-error-responses.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from catalog.records import Bucket, User
from gateway.access.acl import (
    ALL_USERS,
    ANONYMOUS_ID,
    AUTHENTICATED_USERS,
    FULL_CONTROL,
    LOG_DELIVERY,
    PREFERRED,
    Grant,
    Grants,
    acls_on,
    is_public,
    kept_grants,
    private,
)
from gateway.access.keys import ROOT
from gateway.access.public import blocks
from gateway.operations import Context
from gateway.operations.ownership import object_ownership
from gateway.s3.errors import S3Error, invalid_argument

MOST = 100
# Canned ACLs that give nobody but the owner anything, the owner of a bucket being that of its objects. Where ACLs are
# off, S3 refuses the first and the last as well; clients send them without being asked to.
OWNERS_OWN = frozenset({"private", "bucket-owner-full-control", "bucket-owner-read"})
BUCKET_OWNERS = "bucket-owner-full-control"
# Amazon EC2, to which a canned ACL lets a bundle be read. Nobody here has this id.
EC2_ID = "6aa5a366c34c1cbe25dc49211496e913e0351eb0e8c37aa3477e40942ec6b97c"
GROUPS = frozenset({ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY})
PERMISSIONS = frozenset({FULL_CONTROL, "READ", "WRITE", "READ_ACP", "WRITE_ACP"})
TO_OTHERS: dict[str, Grants] = {
    "public-read": (Grant("READ", uri=ALL_USERS),),
    "public-read-write": (Grant("READ", uri=ALL_USERS), Grant("WRITE", uri=ALL_USERS)),
    "authenticated-read": (Grant("READ", uri=AUTHENTICATED_USERS),),
    "aws-exec-read": (Grant("READ", EC2_ID),),
    "log-delivery-write": (Grant("WRITE", uri=LOG_DELIVERY), Grant("READ_ACP", uri=LOG_DELIVERY)),
}
DOCUMENTS_ID, DOCUMENTS_URI = "CanonicalUser/ID", "Group/URI"
GRANTEE = re.compile(r'\s*(id|uri|emailAddress)\s*=\s*(?:"([^"]*)"|([^",]*?))\s*(?:,|$)')


class Wish(NamedTuple):
    """What a request's headers ask for."""

    acl: str | None = None
    full_control: str | None = None
    read: str | None = None
    read_acp: str | None = None
    write_acp: str | None = None
    write: str | None = None

    @property
    def headers(self) -> Iterator[tuple[str, str]]:
        for permission, value in (
            (FULL_CONTROL, self.full_control),
            ("READ", self.read),
            ("READ_ACP", self.read_acp),
            ("WRITE_ACP", self.write_acp),
            ("WRITE", self.write),
        ):
            if value:
                yield permission, value


NO_WISH = (None, None, None, None, None)


class Author(NamedTuple):
    """Whose an object is to be, and its ACL as it is kept (None: the owner's full control)."""

    owner: str
    acl: str | None = None


def author_of(cx: Context, key: str, wish: Wish) -> Author:
    """Raises for an ACL that the bucket does not take, and AccessDenied for one that the caller may not give."""
    bucket = cx.here
    grants = granted_by_headers(cx, bucket, wish, cx.caller.id or ANONYMOUS_ID)
    if not acls_on(bucket):
        return Author(bucket.owner)
    owner = cx.caller.id or ANONYMOUS_ID
    if wish.acl == BUCKET_OWNERS and object_ownership(bucket) == PREFERRED:
        return Author(bucket.owner)
    if grants is None:
        return Author(owner)
    others = any(grant.id not in (owner, bucket.owner) for grant in grants)
    if others and not cx.may_grant(key):
        raise S3Error("AccessDenied")
    return Author(owner, kept_grants(grants, owner))


def granted_by_headers(cx: Context, bucket: Bucket, wish: Wish, owner: str) -> Grants | None:
    """None where the headers ask for nothing."""
    headers = list(wish.headers)
    if wish.acl is not None and headers:
        raise S3Error("InvalidRequest", "Specifying both Canned ACLs and Header Grants is not allowed")
    if headers:
        found = tuple(grant for permission, value in headers for grant in read_header(cx, permission, value))
        refuse_where_off(bucket)
    elif wish.acl is None:
        return None
    else:
        found = canned(bucket, wish.acl, owner)
    refuse_blocked(bucket, found)
    return found


def canned(bucket: Bucket, acl: str, owner: str) -> Grants:
    if acl in OWNERS_OWN:
        permission = {"bucket-owner-full-control": FULL_CONTROL, "bucket-owner-read": "READ"}.get(acl)
        if permission is None or owner == bucket.owner:
            return private(owner)
        return (*private(owner), Grant(permission, bucket.owner))
    refuse_where_off(bucket)
    return (*private(owner), *TO_OTHERS[acl])


def granted_by_document(cx: Context, bucket: Bucket, document: dict[str, Any], owner: str) -> Grants:
    """Names the owner, too, whom no ACL changes. What is wrong with it is said before that ACLs are off."""
    named = (document.get("owner") or {}).get("id")
    if named is None:
        raise S3Error("MalformedACLError")
    if named != owner:
        check_id(cx, named, DOCUMENTS_ID)
        raise S3Error("AccessDenied")
    given = document.get("grants") or []
    if len(given) > MOST:
        raise S3Error("MalformedACLError", f"The request contained more than {MOST} grants")
    found = tuple(read_grant(cx, each) for each in given)
    if not acls_on(bucket):
        if not found or any(each != Grant(FULL_CONTROL, owner) for each in found):
            raise S3Error("AccessControlListNotSupported")
        return private(owner)
    refuse_blocked(bucket, found)
    return found


def read_grant(cx: Context, given: dict[str, Any]) -> Grant:
    grantee, permission = given.get("grantee") or {}, given.get("permission")
    if permission not in PERMISSIONS:
        raise S3Error("MalformedACLError")
    for kind, member in ((DOCUMENTS_ID, "id"), (DOCUMENTS_URI, "uri"), ("emailAddress", "email_address")):
        if grantee.get(member):
            return to_grantee(cx, permission, kind, grantee[member])
    raise S3Error("MalformedACLError")


def read_header(cx: Context, permission: str, value: str) -> list[Grant]:
    """Grantees, each as `kind="name"`, separated by commas."""
    found: list[Grant] = []
    place = 0
    while place < len(value):
        match = GRANTEE.match(value, place)
        if match is None:
            raise invalid_argument("Argument format not recognized", header_of(permission), value)
        found.append(to_grantee(cx, permission, match[1], match[2] if match[2] is not None else match[3]))
        place = match.end()
    return found


def header_of(permission: str) -> str:
    return f"x-amz-grant-{permission.lower().replace('_', '-')}"


def to_grantee(cx: Context, permission: str, kind: str, name: str) -> Grant:
    """`kind` as headers have it, or as what S3 calls it in a document."""
    if kind in ("uri", DOCUMENTS_URI):
        if name not in GROUPS:
            raise invalid_argument("Invalid group uri", kind, name)
        return Grant(permission, uri=name)
    if kind in ("id", DOCUMENTS_ID):
        check_id(cx, name, kind)
        return Grant(permission, name)
    found = {user.id for user in everybody(cx) if user.email and user.email.lower() == name.lower()}
    if len(found) != 1:
        code = "AmbiguousGrantByEmailAddress" if found else "UnresolvableGrantByEmailAddress"
        raise S3Error(code, fields={"EmailAddress": name})
    return Grant(permission, found.pop())


def check_id(cx: Context, name: str, kind: str) -> None:
    if name not in {ANONYMOUS_ID, EC2_ID, cx.caller.id, *(user.id for user in everybody(cx))}:
        raise invalid_argument("Invalid id", kind, name)


def everybody(cx: Context) -> list[User]:
    owners = [] if cx.bucket is None else [User(cx.bucket.owner, "", "", "")]  # who may be gone by now
    return [ROOT, *owners, *cx.catalog.users()]


def refuse_where_off(bucket: Bucket) -> None:
    if not acls_on(bucket):
        raise S3Error("AccessControlListNotSupported")


def refuse_blocked(bucket: Bucket, grants: Grants) -> None:
    if is_public(grants) and blocks(bucket, "block_public_acls"):
        raise S3Error("AccessDenied")
