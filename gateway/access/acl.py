"""Access control lists, where a bucket has them in force: kept as JSON, and what they let others do.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html
https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html
"""

from __future__ import annotations

from functools import lru_cache

import msgspec

from catalog.records import Bucket, User, Version
from gateway.access.asked import Asked
from gateway.access.public import blocks

# Names of a bucket's configurations: its own ACL, and who owns what others write.
SETTING = "acl"
OWNERSHIP = "ownership_controls"
ENFORCED, PREFERRED, WRITER = "BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"

# Who writes without a signature where the writer owns what is written.
ANONYMOUS_ID = "65a011a29cdf8ec533ec3d1ccaae921c"
ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED_USERS = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"
# Who is in that group: https://docs.aws.amazon.com/AmazonS3/latest/userguide/ServerLogs.html#how-logs-delivered
LOGGING_ID = "logging.s3.amazonaws.com"
# Whose the logs are in a bucket where each object is its writer's: the account that AWS delivers with.
LOG_SERVICE_ID = "3272ee65a908a7677109fedda345db8d9554ba26398b2ca10581de88777e2b61"
PUBLIC_GROUPS = frozenset({ALL_USERS, AUTHENTICATED_USERS})
FULL_CONTROL = "FULL_CONTROL"

# https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html#permissions
OF_BUCKET: dict[str, str] = {
    "s3:ListBucket": "READ",
    "s3:ListBucketVersions": "READ",
    "s3:ListBucketMultipartUploads": "READ",
    "s3:PutObject": "WRITE",
    "s3:GetBucketAcl": "READ_ACP",
    "s3:PutBucketAcl": "WRITE_ACP",
}
OF_OBJECT: dict[str, str] = {
    "s3:GetObject": "READ",
    "s3:GetObjectVersion": "READ",
    "s3:GetObjectAttributes": "READ",
    "s3:GetObjectVersionAttributes": "READ",
    "s3:GetObjectTorrent": "READ",
    "s3:GetObjectVersionTorrent": "READ",
    "s3:GetObjectAcl": "READ_ACP",
    "s3:GetObjectVersionAcl": "READ_ACP",
    "s3:PutObjectAcl": "WRITE_ACP",
    "s3:PutObjectVersionAcl": "WRITE_ACP",
}
DELETIONS = frozenset({"s3:DeleteObject"})
OF_INITIATOR = frozenset({"s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"})


class Grant(msgspec.Struct, array_like=True, frozen=True):
    """To a user, by canonical id, or to a group, by URI."""

    permission: str
    id: str = ""
    uri: str = ""


Grants = tuple[Grant, ...]


def acls_on(bucket: Bucket) -> bool:
    return bucket.settings is not None and bucket.settings.get(OWNERSHIP, ENFORCED) != ENFORCED


def private(owner: str) -> Grants:
    return (Grant(FULL_CONTROL, owner),)


def bucket_grants(bucket: Bucket) -> Grants:
    kept = bucket.settings.get(SETTING) if bucket.settings else None
    return read_grants(kept) if kept and acls_on(bucket) else private(bucket.owner)


def object_grants(bucket: Bucket, version: Version) -> Grants:
    if not acls_on(bucket):
        return private(bucket.owner)
    return private(version.owner) if version.acl is None else read_grants(version.acl)


@lru_cache(maxsize=1024)
def read_grants(kept: str) -> Grants:
    return msgspec.json.decode(kept, type=Grants)


def kept_grants(grants: Grants, owner: str) -> str | None:
    """None for the ACL that there is without one."""
    return None if grants == private(owner) else msgspec.json.encode(grants).decode()


def is_public(grants: Grants) -> bool:
    return any(grant.uri in PUBLIC_GROUPS for grant in grants)


def is_foreign(action: str, asked: Asked) -> bool:
    """Whether the object that is asked for belongs to another than its bucket: only its own ACL decides then."""
    if action not in OF_OBJECT:
        return False
    version = asked.version()
    return version is not None and version.owner != asked.bucket.owner


def granted(action: str, asked: Asked) -> bool:
    """Whether ACLs let the caller do it; an object's owner can always read and change the object's own."""
    bucket, caller = asked.bucket, asked.caller
    needed = OF_BUCKET.get(action)
    if needed is not None:
        return holds(bucket_grants(bucket), needed, caller, bucket)
    if action in OF_INITIATOR:
        upload = asked.upload()
        return upload is not None and bool(caller.id) and upload.owner == caller.id
    version = asked.version()
    if action in DELETIONS:
        own = version is None or (bool(caller.id) and version.owner == caller.id)
        return own and holds(bucket_grants(bucket), "WRITE", caller, bucket)
    needed = OF_OBJECT.get(action)
    if needed is None or version is None:
        return False
    if needed != "READ" and caller.id and version.owner == caller.id:
        return True
    return holds(object_grants(bucket, version), needed, caller, bucket)


def holds(grants: Grants, permission: str, caller: User, bucket: Bucket) -> bool:
    closed = blocks(bucket, "ignore_public_acls")
    for grant in grants:
        if grant.permission not in (permission, FULL_CONTROL):
            continue
        if grant.id:
            if grant.id == caller.id:
                return True
        elif grant.uri == LOG_DELIVERY:
            if caller.id == LOGGING_ID:
                return True
        elif not closed and (grant.uri == ALL_USERS or (grant.uri == AUTHENTICATED_USERS and caller.id)):
            return True
    return False
