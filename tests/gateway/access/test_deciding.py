from __future__ import annotations

from typing import Any

import pytest

from catalog.errors import NoObject
from catalog.records import Bucket, User, Version
from gateway.access import ANONYMOUS
from gateway.access.deciding import check, may_list, permits, waits_for_document
from gateway.s3.errors import S3Error
from tests.gateway.access.asking import ALICE, BOB, Held, ask, bucket_of, ruled
from tests.gateway.conftest import ROOT

DENY_ALL = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"}
LIST = {"Action": "s3:ListBucket", "Resource": "arn:aws:s3:::b"}
OBJECT = Version(1, "", 0, "", 0, "", "")


def code(operation: str, bucket: Bucket, caller: User = BOB, **given: Any) -> str:
    given.setdefault("held", Held(key=OBJECT))
    try:
        check(operation, ask(bucket, caller=caller, **given))
    except S3Error as refused:
        return refused.code
    except NoObject:
        return "NoSuchKey"
    return ""


@pytest.mark.parametrize("caller", [ALICE, ROOT])
def test_a_denial_holds_for_the_owner_and_root_but_for_the_policy_itself(caller: User) -> None:
    bucket = ruled(DENY_ALL)
    for operation in ("GetObject", "PutObject", "DeleteBucket", "GetBucketPolicyStatus"):
        assert code(operation, bucket, caller) == "AccessDenied"
    for operation in ("PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"):
        assert code(operation, bucket, caller) == ""


@pytest.mark.parametrize("caller", [BOB, ANONYMOUS])
def test_a_policy_is_nobody_elses(caller: User) -> None:
    open_policy = bucket_with_everything()
    for operation in ("PutBucketPolicy", "GetBucketPolicy", "DeleteBucketPolicy"):
        assert code(operation, open_policy, caller) == "MethodNotAllowed"
        assert code(operation, ruled({}), caller) == "AccessDenied"
    assert code("GetBucketPolicyStatus", open_policy, caller) == ""


def test_what_the_policy_says_nothing_of() -> None:
    bucket = ruled({"Principal": {"AWS": "alice"}})
    assert code("GetObject", bucket) == "AccessDenied"
    assert code("GetObject", bucket, ALICE) == ""
    assert code("PutObject", bucket, ROOT) == ""


def test_public_statements_count_only_where_they_are_let() -> None:
    public, closed = {"public_access_block": "deleted"}, {"public_access_block": "restrict_public_buckets"}
    assert code("GetObject", ruled({}, **public), ANONYMOUS) == ""
    assert code("GetObject", ruled({}, **closed), ANONYMOUS) == "AccessDenied"
    also_bob = [{}, {"Principal": {"AWS": "bob"}}]
    assert code("GetObject", ruled(*also_bob, **closed)) == "AccessDenied"  # the policy as a whole is public
    assert code("GetObject", ruled({"Principal": {"AWS": "bob"}}, **closed)) == ""
    assert code("GetObject", ruled(*also_bob, **closed), ALICE) == ""


def test_every_action_of_an_operation_is_asked() -> None:
    bucket = ruled({"Action": "s3:GetObject"}, public_access_block="deleted")
    assert code("GetObject", bucket) == ""
    assert code("GetObjectAttributes", bucket) == "AccessDenied"


def test_an_operation_without_an_action_is_the_owners() -> None:
    assert code("CreateSession", bucket_with_everything()) == "AccessDenied"
    assert code("CreateSession", bucket_with_everything(), ALICE) == ""


def test_keys_are_asked_for_one_by_one() -> None:
    assert code("DeleteObjects", ruled({})) == ""
    assert code("DeleteObjects", bucket_of()) == "AccessDenied"


@pytest.mark.parametrize(
    ("statements", "answer"),
    [
        ([{}], "AccessDenied"),
        ([{}, LIST], ""),
        ([LIST], "NoSuchKey"),
        ([LIST, {"Effect": "Deny"}], "AccessDenied"),
        ([{**LIST, "Condition": {"StringLike": {"s3:prefix": "logs/*"}}}], "AccessDenied"),
        ([{**LIST, "Condition": {"StringLike": {"s3:prefix": "mis*"}}}], "NoSuchKey"),
    ],
)
def test_a_missing_object_is_told_to_those_who_may_list(statements: list[dict[str, Any]], answer: str) -> None:
    bucket = ruled(*statements, public_access_block="deleted")
    found = code("GetObject", bucket, key="missing")
    if statements[0] == {}:
        # The operation itself looks for it then, and what it says of that depends on the same.
        assert found == ""
        assert may_list(ask(bucket, key="missing")) == (answer == "")
    else:
        assert found == answer


def test_one_more_action() -> None:
    bucket = ruled({"Action": "s3:BypassGovernanceRetention"}, public_access_block="deleted")
    assert permits("s3:BypassGovernanceRetention", ask(bucket))
    assert not permits("s3:BypassGovernanceRetention", ask(ruled({})))
    assert permits("s3:BypassGovernanceRetention", ask(bucket_of(), caller=ALICE))


def test_what_waits_for_the_document() -> None:
    tags = {"Action": "s3:PutObjectTagging", "Condition": {"StringEquals": {"s3:RequestObjectTag/a": "1"}}}
    assert waits_for_document("PutObjectTagging", ruled(tags))
    assert not waits_for_document("PutObject", ruled(tags))
    assert not waits_for_document("PutObjectTagging", ruled({}))
    assert not waits_for_document("PutObjectTagging", bucket_of())


def bucket_with_everything() -> Bucket:
    return ruled({"Action": "s3:*", "Resource": "*"}, public_access_block="deleted")
