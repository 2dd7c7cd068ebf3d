from __future__ import annotations

import pytest

from catalog.records import Bucket
from gateway.access import ANONYMOUS, allow
from gateway.s3.errors import S3Error
from tests.gateway.conftest import ALICE, ROOT

HERS = Bucket(1, "hers", ALICE.id, 0, "us-east-1")
OTHER = Bucket(2, "other", "b" * 64, 0, "us-east-1")


def test_owner_may_do_everything_with_a_bucket() -> None:
    allow(ALICE, "DeleteBucket", HERS)


def test_root_may_do_everything_with_any_bucket() -> None:
    allow(ROOT, "DeleteBucket", OTHER)


def test_a_user_may_make_and_list_buckets() -> None:
    allow(ALICE, "CreateBucket", None)
    allow(ALICE, "ListBuckets", None)


@pytest.mark.parametrize("operation", ["GetObject", "HeadBucket", "PutBucketTagging"])
def test_a_user_may_do_nothing_with_the_bucket_of_another(operation: str) -> None:
    with pytest.raises(S3Error, match="AccessDenied"):
        allow(ALICE, operation, OTHER)


def test_the_anonymous_may_do_nothing() -> None:
    for operation, bucket in [("ListBuckets", None), ("CreateBucket", None), ("GetObject", HERS)]:
        with pytest.raises(S3Error, match="AccessDenied"):
            allow(ANONYMOUS, operation, bucket)


def test_a_bucket_without_an_owner_is_not_the_property_of_the_anonymous() -> None:
    with pytest.raises(S3Error, match="AccessDenied"):
        allow(ANONYMOUS, "GetObject", Bucket(3, "nobodys", "", 0, "us-east-1"))
