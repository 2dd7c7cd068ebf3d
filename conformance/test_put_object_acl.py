from __future__ import annotations

from typing import Any

import pytest

from conformance.refusals import refused


@pytest.mark.parametrize("acl", ["private", "bucket-owner-full-control", "bucket-owner-read"])
def test_the_owners_own_is_taken(s3: Any, bucket: str, acl: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    assert s3.put_object_acl(Bucket=bucket, Key="key", ACL=acl)["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_what_was_read_may_be_put_again(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    found = s3.get_object_acl(Bucket=bucket, Key="key")
    policy = {"Owner": found["Owner"], "Grants": found["Grants"]}
    answer = s3.put_object_acl(Bucket=bucket, Key="key", AccessControlPolicy=policy)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("acl", ["public-read", "authenticated-read", "aws-exec-read"])
def test_others_are_not_supported_where_acls_are_off(s3: Any, bucket: str, acl: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    with refused("AccessControlListNotSupported", 400):
        s3.put_object_acl(Bucket=bucket, Key="key", ACL=acl)


def test_grant_to_another_is_not_supported_where_acls_are_off(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    found = s3.get_object_acl(Bucket=bucket, Key="key")
    other = {"Grantee": {"Type": "CanonicalUser", "ID": alice.list_buckets()["Owner"]["ID"]}, "Permission": "READ"}
    policy = {"Owner": found["Owner"], "Grants": [*found["Grants"], other]}
    with refused("AccessControlListNotSupported", 400):
        s3.put_object_acl(Bucket=bucket, Key="key", AccessControlPolicy=policy)
    other["Grantee"]["ID"] = "f" * 64
    with refused("InvalidArgument", 400) as error:
        s3.put_object_acl(Bucket=bucket, Key="key", AccessControlPolicy=policy)
    assert (error["Message"], error["ArgumentName"]) == ("Invalid id", "CanonicalUser/ID")


def test_key_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.put_object_acl(Bucket=bucket, Key="no-such-key", ACL="private")


def test_bucket_of_another_is_forbidden(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    with refused("AccessDenied", 403):
        alice.put_object_acl(Bucket=bucket, Key="key", ACL="private")
