"""The decision on what is asked: of the bucket's policy, whose Deny beats all, and of whom the bucket belongs to.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-s3-evaluates-access-control.html
"""

from __future__ import annotations

from catalog.records import Bucket, User
from gateway.access.acl import acls_on, granted, is_foreign
from gateway.access.actions import LIST, PER_KEY, POLICY_ACTIONS, needed
from gateway.access.asked import Asked
from gateway.access.keys import ROOT_ID
from gateway.access.payer import PAID, agrees, requester_pays
from gateway.access.policy import SETTING, Verdict, policy_of
from gateway.access.public import blocks
from gateway.s3.errors import S3Error

# Operations whose input a policy may want to see before it decides.
BY_DOCUMENT = frozenset({"PutObjectLegalHold", "PutObjectRetention", "PutObjectTagging"})
# Operations that tell who may list the bucket that an object is not there, and nobody else.
# https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_RequestSyntax
READS = frozenset({"GetObject", "GetObjectAcl", "GetObjectAttributes", "GetObjectTagging", "HeadObject"})


def is_ruled(bucket: Bucket) -> bool:
    """Whether more than whose the bucket is decides."""
    settings = bucket.settings
    return settings is not None and (SETTING in settings or acls_on(bucket))


def owns(caller: User, bucket: Bucket) -> bool:
    """The owner, and root as the owner of everything; nobody has the empty id of the anonymous."""
    return bool(caller.id) and caller.id in (bucket.owner, ROOT_ID)


def waits_for_document(operation: str, bucket: Bucket) -> bool:
    """Whether the request's document, or a form's fields, have to be read before `check` can be asked."""
    if operation == "PostObject":
        return True
    if operation not in BY_DOCUMENT:
        return False
    policy = policy_of(bucket)
    return policy is not None and policy.by_document


def check(operation: str, asked: Asked) -> None:
    """Raises AccessDenied; MethodNotAllowed for what no policy can allow to others; what to say of a missing object."""
    if operation in PAID:
        check_payer(asked)
    if operation in PER_KEY and is_ruled(asked.bucket):
        return
    actions = needed(operation, asked.request)
    if not actions and not owns(asked.caller, asked.bucket):
        raise S3Error("AccessDenied")
    for action in actions:
        require(action, asked, operation in READS)


def check_read(asked: Asked) -> None:
    """What a copy asks of its source. Raises as `check` does."""
    check_payer(asked)
    require("s3:GetObject" if asked.version_id is None else "s3:GetObjectVersion", asked, reads=True)


def check_payer(asked: Asked) -> None:
    """Raises AccessDenied for one who would have to pay and does not say that he will."""
    if not requester_pays(asked.bucket) or owns(asked.caller, asked.bucket):
        return
    if not agrees(asked):
        raise S3Error("AccessDenied")
    asked.request.charged = True


def require(action: str, asked: Asked, reads: bool) -> None:
    verdict = decide(action, asked)
    if verdict is Verdict.ALLOW:
        return
    missing = asked.missing() if reads and verdict is Verdict.NONE else None
    raise missing if missing is not None and may_list(asked) else S3Error("AccessDenied")


def permits(action: str, asked: Asked) -> bool:
    return decide(action, asked) is Verdict.ALLOW


def decide(action: str, asked: Asked) -> Verdict:
    """What policy and ACLs say, but for what the bucket's owner may in any case, and what is not let be public."""
    bucket = asked.bucket
    policy = policy_of(bucket)
    verdict = Verdict.NONE if policy is None else policy.decide(action, asked)
    mine = owns(asked.caller, bucket)
    if verdict is Verdict.DENY:
        # Or a policy could shut everybody out for good.
        return Verdict.ALLOW if mine and action in POLICY_ACTIONS else Verdict.DENY
    if acls_on(bucket) and asked.caller.id != ROOT_ID:
        if is_foreign(action, asked):
            return Verdict.ALLOW if granted(action, asked) else Verdict.NONE
        if not mine and granted(action, asked):
            return Verdict.ALLOW
    if mine:
        return Verdict.ALLOW
    if verdict is Verdict.ALLOW and policy is not None:
        if action in POLICY_ACTIONS:
            raise S3Error("MethodNotAllowed", fields={"Method": asked.request.method, "ResourceType": "BUCKETPOLICY"})
        if policy.public and blocks(bucket, "restrict_public_buckets"):
            return Verdict.NONE
    return verdict


def needed_acl(operation: str, asked: Asked) -> bool:
    """Whether it was an ACL that let the caller do it, and nothing else would have."""
    return acls_on(asked.bucket) and any(by_acl(action, asked) for action in needed(operation, asked.request))


def by_acl(action: str, asked: Asked) -> bool:
    if asked.caller.id == ROOT_ID or not granted(action, asked):
        return False
    if is_foreign(action, asked):
        return True
    policy = policy_of(asked.bucket)
    allowed = policy is not None and policy.decide(action, asked) is Verdict.ALLOW
    return not allowed and not owns(asked.caller, asked.bucket)


def may_grant(asked: Asked) -> bool:
    """On a key that is yet to be written: leave to write by the bucket's ACL is enough, by its policy it is not."""
    bucket = asked.bucket
    policy = policy_of(bucket)
    verdict = Verdict.NONE if policy is None else policy.decide("s3:PutObjectAcl", asked)
    if verdict is not Verdict.NONE:
        return verdict is Verdict.ALLOW
    return owns(asked.caller, bucket) or granted("s3:PutObject", asked)


def may_list(asked: Asked) -> bool:
    """Whether a listing could tell what is asked for: of just this key, where there is a condition on the prefix."""
    listing = Asked(asked.caller, asked.bucket, None, None, asked.request, asked.catalog)
    listing.prefix = asked.key
    return permits(LIST, listing)
