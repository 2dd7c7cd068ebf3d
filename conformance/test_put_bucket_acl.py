from __future__ import annotations

from typing import Any

import pytest

from conformance.raw import Raw
from conformance.refusals import refused

EVERYBODY = {"Type": "Group", "URI": "http://acs.amazonaws.com/groups/global/AllUsers"}


def enable_acls(s3: Any, bucket: str) -> None:
    controls = {"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)


def test_private_is_taken(s3: Any, bucket: str) -> None:
    assert s3.put_bucket_acl(Bucket=bucket, ACL="private")["ResponseMetadata"]["HTTPStatusCode"] == 200


def test_what_was_read_may_be_put_again(s3: Any, bucket: str) -> None:
    found = s3.get_bucket_acl(Bucket=bucket)
    policy = {"Owner": found["Owner"], "Grants": found["Grants"]}
    assert s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy=policy)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("acl", ["public-read", "public-read-write", "authenticated-read"])
def test_others_are_not_supported_where_acls_are_off(s3: Any, bucket: str, acl: str) -> None:
    with refused("AccessControlListNotSupported", 400):
        s3.put_bucket_acl(Bucket=bucket, ACL=acl)


def test_public_ones_are_denied_where_they_are_blocked(s3: Any, bucket: str) -> None:
    enable_acls(s3, bucket)
    with refused("AccessDenied", 403):
        s3.put_bucket_acl(Bucket=bucket, ACL="public-read")


def test_public_grant_is_denied_where_it_is_blocked(s3: Any, bucket: str) -> None:
    enable_acls(s3, bucket)
    found = s3.get_bucket_acl(Bucket=bucket)
    grants = [*found["Grants"], {"Grantee": EVERYBODY, "Permission": "READ"}]
    with refused("AccessDenied", 403):
        s3.put_bucket_acl(Bucket=bucket, AccessControlPolicy={"Owner": found["Owner"], "Grants": grants})


def test_public_ones_are_taken_where_they_are_let(s3: Any, bucket: str) -> None:
    enable_acls(s3, bucket)
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_bucket_acl(Bucket=bucket, ACL="public-read")
    assert [each["Permission"] for each in s3.get_bucket_acl(Bucket=bucket)["Grants"]] == ["FULL_CONTROL", "READ"]


def test_one_of_both_must_be_given(raw: Raw, bucket: str) -> None:
    answer = raw.put(f"/{bucket}", b"", {"acl": ""})
    assert (answer.status, answer.code) == (400, "MissingSecurityHeader")


@pytest.mark.parametrize(
    "inner", ["", "<Owner><ID>%s</ID></Owner><AccessControlList><Grant/></AccessControlList>"], ids=["empty", "grant"]
)
def test_document_that_is_no_acl(s3: Any, raw: Raw, bucket: str, inner: str) -> None:
    document = f"<AccessControlPolicy>{inner}</AccessControlPolicy>".replace("%s", s3.list_buckets()["Owner"]["ID"])
    answer = raw.put(f"/{bucket}", document.encode(), {"acl": ""})
    assert (answer.status, answer.code) == (400, "MalformedACLError")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ('uri="http://acs.amazonaws.com/groups/s3/FakeGroup"', "Invalid group uri"),
        ('fakekey="1234"', "Argument format not recognized"),
        ('id="wrong-id"', "Invalid id"),
    ],
)
def test_header_that_grants_to_nobody_is_so_also_where_acls_are_off(
    s3: Any, bucket: str, header: str, message: str
) -> None:
    with refused("InvalidArgument", 400) as error:
        s3.put_bucket_acl(Bucket=bucket, GrantWrite=header)
    assert error["Message"] == message


def test_both_are_too_much(s3: Any, raw: Raw, bucket: str) -> None:
    document = raw.get(f"/{bucket}", {"acl": ""}).body
    answer = raw.put(f"/{bucket}", document, {"acl": ""}, {"x-amz-acl": "private"})
    assert (answer.status, answer.code) == (400, "UnexpectedContent")


@pytest.mark.parametrize(
    "spoil",
    [("READ", "ALL"), ("CanonicalUser", "Everybody"), ("</AccessControlPolicy>", ""), ("AccessControlPolicy", "Else")],
)
def test_documents_that_are_none(raw: Raw, s3: Any, bucket: str, spoil: tuple[str, str]) -> None:
    enable_acls(s3, bucket)
    s3.put_object(Bucket=bucket, Key="key")
    for path in (f"/{bucket}", f"/{bucket}/key"):
        document = raw.get(path, {"acl": ""}).body.replace(b"FULL_CONTROL", b"READ")
        assert raw.put(path, document, {"acl": ""}).status == 200
        answer = raw.put(path, document.replace(spoil[0].encode(), spoil[1].encode()), {"acl": ""})
        assert (answer.status, answer.code) == (400, "MalformedACLError")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.put_bucket_acl(Bucket=bucket, ACL="private")
