from __future__ import annotations

import pytest

from catalog.records import Bucket, User
from gateway.access import ANONYMOUS, allow
from gateway.s3.errors import S3Error
from tests.gateway.access.asking import ask, ruled
from tests.gateway.conftest import ALICE, ROOT

HERS = Bucket(1, "hers", ALICE.id, 0, "us-east-1")
OTHER = Bucket(2, "other", "b" * 64, 0, "us-east-1")


def try_it(caller: User, operation: str, bucket: Bucket | None) -> bool:
    asked = ask(bucket)
    return allow(caller, operation, bucket, asked.request, asked.catalog) is None


def test_owner_may_do_everything_with_a_bucket() -> None:
    assert try_it(ALICE, "DeleteBucket", HERS)


def test_root_may_do_everything_with_any_bucket() -> None:
    assert try_it(ROOT, "DeleteBucket", OTHER)


def test_a_user_may_make_and_list_buckets() -> None:
    assert try_it(ALICE, "CreateBucket", None)
    assert try_it(ALICE, "ListBuckets", None)


@pytest.mark.parametrize("operation", ["GetObject", "HeadBucket", "PutBucketTagging", "DeleteObjects"])
def test_a_user_may_do_nothing_with_the_bucket_of_another(operation: str) -> None:
    with pytest.raises(S3Error, match="AccessDenied"):
        try_it(ALICE, operation, OTHER)


def test_the_anonymous_may_do_nothing() -> None:
    for operation, bucket in [("ListBuckets", None), ("CreateBucket", None), ("GetObject", HERS)]:
        with pytest.raises(S3Error, match="AccessDenied"):
            try_it(ANONYMOUS, operation, bucket)


def test_a_bucket_without_an_owner_is_not_the_property_of_the_anonymous() -> None:
    with pytest.raises(S3Error, match="AccessDenied"):
        try_it(ANONYMOUS, "GetObject", Bucket(3, "nobodys", "", 0, "us-east-1"))


def test_a_policy_is_asked() -> None:
    bucket = ruled({"Principal": {"AWS": "bob"}}, {"Effect": "Deny", "Principal": {"AWS": "alice"}})
    with pytest.raises(S3Error, match="AccessDenied"):
        try_it(ALICE, "GetObject", bucket)
    assert try_it(ROOT, "GetObject", bucket)


def test_what_is_to_be_asked_once_the_document_is_read() -> None:
    tags = {"Action": "s3:PutObjectTagging", "Condition": {"StringEquals": {"s3:RequestObjectTag/a": "1"}}}
    assert not try_it(ROOT, "PutObjectTagging", ruled(tags))
    assert try_it(ROOT, "GetObjectTagging", ruled(tags))
