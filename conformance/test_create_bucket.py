from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.raw import Raw
from conformance.refusals import refused

NewName = Callable[[str], str]


def test_answers_with_location(s3: Any, new_name: NewName) -> None:
    name = new_name("made")
    assert s3.create_bucket(Bucket=name)["Location"] == f"/{name}"
    s3.head_bucket(Bucket=name)


def test_has_an_empty_body(raw: Raw, new_name: NewName) -> None:
    answer = raw.put(f"/{new_name('bare')}")
    assert (answer.status, answer.body, answer.header("content-length")) == (200, b"", "0")


def test_trailing_slash_names_the_bucket_too(raw: Raw, s3: Any, new_name: NewName) -> None:
    name = new_name("slash")
    assert raw.put(f"/{name}/").status == 200
    s3.head_bucket(Bucket=name)


def test_own_bucket_again_is_well_in_us_east_1(s3: Any, bucket: str) -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateBucket.html (BucketAlreadyOwnedByYou)
    s3.put_object(Bucket=bucket, Key="kept", Body=b"kept")
    s3.create_bucket(Bucket=bucket)
    assert s3.get_object(Bucket=bucket, Key="kept")["Body"].read() == b"kept"


def test_grants_that_are_none_are_refused(s3: Any, new_name: NewName) -> None:
    with refused("InvalidArgument", 400) as error:
        s3.create_bucket(Bucket=new_name("grant"), ObjectOwnership="ObjectWriter", GrantRead="somebody")
    assert error["Message"] == "Argument format not recognized"
    with refused("InvalidRequest", 400) as error:
        s3.create_bucket(Bucket=new_name("grant"), ObjectOwnership="ObjectWriter", ACL="private", GrantRead="id=a")
    assert error["Message"] == "Specifying both Canned ACLs and Header Grants is not allowed"


def test_bucket_of_another_is_taken(alice: Any, bucket: str) -> None:
    with refused("BucketAlreadyExists", 409) as error:
        alice.create_bucket(Bucket=bucket)
    assert error["BucketName"] == bucket


@pytest.mark.parametrize(
    "name",
    [
        "ab",
        "a" * 64,
        "UpperCase",
        "under_score",
        "-starts-with-hyphen",
        "ends-with-hyphen-",
        ".starts-with-dot",
        "ends-with-dot.",
        "two..dots",
        "192.168.5.4",
        "xn--punycode",
        "sthree-reserved",
        "sthree-configurator",
        "amzn-s3-demo-reserved",
        "taken-s3alias",
        "taken--ol-s3",
        "taken.mrap",
        "taken--x-s3",
        "taken--table-s3",
        "space in it",
        "späße",
    ],
)
def test_name_against_the_rules_is_refused(raw: Raw, name: str) -> None:
    # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
    answer = raw.put(f"/{name}")
    assert (answer.status, answer.code) == (400, "InvalidBucketName")


@pytest.mark.parametrize("name", ["abc", "b" * 63, "dotted.name.here", "0starts-with-digit", "1-2-3", "a.b-c"])
def test_name_within_the_rules_is_taken(s3: Any, name: str) -> None:
    s3.create_bucket(Bucket=name)
    s3.delete_bucket(Bucket=name)


def test_location_constraint_of_elsewhere_is_refused(s3: Any, new_name: NewName) -> None:
    with refused("InvalidLocationConstraint", 400):
        s3.create_bucket(Bucket=new_name("where"), CreateBucketConfiguration={"LocationConstraint": "nowhere-at-all"})


def test_location_constraint_of_the_servers_own_region_is_taken(s3: Any, new_name: NewName) -> None:
    # AWS wants us-east-1 asked for by leaving the constraint out; some clients for other servers name it.
    name = new_name("where")
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": "us-east-1"})
    assert s3.get_bucket_location(Bucket=name)["LocationConstraint"] is None


def test_body_that_is_not_xml_is_refused(raw: Raw, new_name: NewName) -> None:
    answer = raw.put(f"/{new_name('badxml')}", b"this is not xml")
    assert (answer.status, answer.code) == (400, "MalformedXML")


@pytest.mark.parametrize("value", ["RandomValue", ""])
def test_ownership_that_is_none_is_refused(raw: Raw, new_name: NewName, value: str) -> None:
    answer = raw.put(f"/{new_name('owned')}", headers={"x-amz-object-ownership": value})
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert answer.text("Message") == f"Invalid x-amz-object-ownership header: {value}"


def test_tags_are_kept(s3: Any, new_name: NewName) -> None:
    name, tags = new_name("tagged"), [{"Key": "team", "Value": "storage"}]
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"Tags": tags})
    assert s3.get_bucket_tagging(Bucket=name)["TagSet"] == tags


def test_object_lock_comes_with_versioning(s3: Any, new_name: NewName) -> None:
    name = new_name("locked")
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    assert s3.get_bucket_versioning(Bucket=name)["Status"] == "Enabled"
    found = s3.get_object_lock_configuration(Bucket=name)["ObjectLockConfiguration"]
    assert found == {"ObjectLockEnabled": "Enabled"}
    s3.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)


def test_object_lock_is_not_promised_for_a_bucket_that_is_there_without(s3: Any, bucket: str) -> None:
    with refused("BucketAlreadyOwnedByYou", 409):
        s3.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)


@pytest.mark.parametrize("value, enabled", [("false", 404), ("TRUE", 200)])
def test_object_lock_by_its_header(raw: Raw, new_name: NewName, value: str, enabled: int) -> None:
    name = new_name("header")
    assert raw.put(f"/{name}", headers={"x-amz-bucket-object-lock-enabled": value}).status == 200
    assert raw.get(f"/{name}", {"object-lock": ""}).status == enabled


def test_object_lock_header_that_is_no_truth(raw: Raw, new_name: NewName) -> None:
    answer = raw.put(f"/{new_name('header')}", headers={"x-amz-bucket-object-lock-enabled": "maybe"})
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_anonymous_is_refused(raw: Raw, new_name: NewName) -> None:
    answer = raw.send(raw.plain("PUT", f"/{new_name('anonymous')}"))
    assert (answer.status, answer.code) == (403, "AccessDenied")
