from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from conformance.access_logs import let_write, log_to
from conformance.conftest import ALICE_ID
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.unconfigured import check_others

DOCUMENT = '<BucketLoggingStatus xmlns="http://s3.amazonaws.com/doc/2006-03-01/">%s</BucketLoggingStatus>'
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"


@pytest.fixture
def target(s3: Any, new_name: Callable[[str], str]) -> str:
    name = new_name("logs")
    s3.create_bucket(Bucket=name)
    return name


def put(raw: Raw, bucket: str, inner: str) -> Any:
    return raw.put_document(f"/{bucket}", (DOCUMENT % inner).encode(), {"logging": ""})


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"TargetPrefix": "logs/ä&<"},
        {"TargetObjectKeyFormat": {"SimplePrefix": {}}},
        {"TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}},
        {"TargetObjectKeyFormat": {"PartitionedPrefix": {"PartitionDateSource": "DeliveryTime"}}},
    ],
)
def test_comes_back_as_it_was_put(s3: Any, bucket: str, target: str, more: dict[str, Any]) -> None:
    given = {"TargetBucket": target, "TargetPrefix": ""} | more
    s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={"LoggingEnabled": given})
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"] == given


def test_without_a_date_folders_are_of_events(s3: Any, bucket: str, target: str) -> None:
    log_to(s3, bucket, target, TargetObjectKeyFormat={"PartitionedPrefix": {}})
    found = s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetObjectKeyFormat"]
    assert found == {"PartitionedPrefix": {"PartitionDateSource": "EventTime"}}


def test_another_takes_the_place_of_the_first_and_an_empty_one_ends_it(s3: Any, bucket: str, target: str) -> None:
    log_to(s3, bucket, target, "first/")
    log_to(s3, bucket, bucket, "second/")
    found = s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]
    assert found == {"TargetBucket": bucket, "TargetPrefix": "second/"}
    for _ in range(2):
        answer = s3.put_bucket_logging(Bucket=bucket, BucketLoggingStatus={})
        assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)


def test_target_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("InvalidTargetBucketForLogging", 400) as error:
        log_to(s3, bucket, "no-such-bucket")
    assert (error["Message"], error["TargetBucket"]) == (
        "The target bucket for logging does not exist",
        "no-such-bucket",
    )
    assert "LoggingEnabled" not in s3.get_bucket_logging(Bucket=bucket)


def test_target_of_another_owner(s3: Any, alice: Any, target: str, new_name: Callable[[str], str]) -> None:
    hers = new_name("hers")
    alice.create_bucket(Bucket=hers)
    let_write(s3, target)
    for client, source, into in ((alice, hers, target), (s3, target, hers)):
        with refused("InvalidTargetBucketForLogging", 400) as error:
            log_to(client, source, into)
        assert error["Message"] == "The owner for the bucket to be logged and the target bucket must be the same."
        assert error["TargetBucket"] == into


def test_target_that_retains(s3: Any, bucket: str, locked: str) -> None:
    log_to(s3, bucket, locked)
    rule = {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    configuration = {"ObjectLockEnabled": "Enabled", "Rule": rule}
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration=configuration)
    with refused("InvalidTargetBucketForLogging", 400) as error:
        log_to(s3, bucket, locked)
    assert error["TargetBucket"] == locked


def test_grants_where_acls_are_off(s3: Any, bucket: str, target: str) -> None:
    grant = {"Grantee": {"Type": "CanonicalUser", "ID": ALICE_ID}, "Permission": "READ"}
    with refused("AccessControlListNotSupported", 400):
        log_to(s3, bucket, target, TargetGrants=[grant])


@pytest.mark.parametrize("ownership", ["ObjectWriter", "BucketOwnerPreferred"])
def test_grants_where_acls_are_on(s3: Any, bucket: str, target: str, ownership: str) -> None:
    controls = {"Rules": [{"ObjectOwnership": ownership}]}
    s3.put_bucket_ownership_controls(Bucket=target, OwnershipControls=controls)
    grants = [
        {"Grantee": {"Type": "CanonicalUser", "ID": ALICE_ID}, "Permission": "FULL_CONTROL"},
        {"Grantee": {"Type": "Group", "URI": LOG_DELIVERY}, "Permission": "WRITE"},
        {"Grantee": {"Type": "Group", "URI": LOG_DELIVERY}, "Permission": "READ_ACP"},
    ]
    log_to(s3, bucket, target, TargetGrants=grants)
    assert s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetGrants"] == grants
    by_mail = {"Grantee": {"Type": "AmazonCustomerByEmail", "EmailAddress": "a@example.com"}, "Permission": "READ"}
    log_to(s3, bucket, target, TargetGrants=[by_mail])
    (found,) = s3.get_bucket_logging(Bucket=bucket)["LoggingEnabled"]["TargetGrants"]
    assert found == {"Grantee": {"Type": "CanonicalUser", "ID": ALICE_ID}, "Permission": "READ"}


@pytest.mark.parametrize(
    "inner",
    [
        "<LoggingEnabled/>",
        "<LoggingEnabled><TargetBucket>%s</TargetBucket></LoggingEnabled>",
        "<LoggingEnabled><TargetPrefix>p</TargetPrefix></LoggingEnabled>",
        "<LoggingEnabled><TargetBucket>%s</TargetBucket><TargetPrefix/><TargetObjectKeyFormat/></LoggingEnabled>",
        "<LoggingEnabled><TargetBucket>%s</TargetBucket><TargetPrefix/><TargetObjectKeyFormat><SimplePrefix/>"
        "<PartitionedPrefix/></TargetObjectKeyFormat></LoggingEnabled>",
        "<LoggingEnabled><TargetBucket>%s</TargetBucket><TargetPrefix/><TargetObjectKeyFormat><PartitionedPrefix>"
        "<PartitionDateSource>Never</PartitionDateSource></PartitionedPrefix></TargetObjectKeyFormat></LoggingEnabled>",
    ],
)
def test_document_that_says_too_little_or_too_much(raw: Raw, bucket: str, target: str, inner: str) -> None:
    answer = put(raw, bucket, inner.replace("%s", target))
    assert (answer.status, answer.code) == (400, "MalformedXML")


@pytest.mark.parametrize(("length", "status"), [(800, 200), (801, 400)])
def test_prefix_that_leaves_a_key_no_room(raw: Raw, bucket: str, target: str, length: int, status: int) -> None:
    about = f"<TargetBucket>{target}</TargetBucket><TargetPrefix>{'p' * length}</TargetPrefix>"
    assert put(raw, bucket, f"<LoggingEnabled>{about}</LoggingEnabled>").status == status


def test_permission_that_there_is_not(s3: Any, bucket: str, target: str) -> None:
    s3.put_bucket_ownership_controls(Bucket=target, OwnershipControls={"Rules": [{"ObjectOwnership": "ObjectWriter"}]})
    with refused("MalformedXML", 400):
        grant = {"Grantee": {"Type": "CanonicalUser", "ID": ALICE_ID}, "Permission": "EVERYTHING"}
        log_to(s3, bucket, target, TargetGrants=[grant])


def test_bucket_of_others(s3: Any, alice: Any, bucket: str) -> None:
    check_others(s3, alice, bucket, "put_bucket_logging", BucketLoggingStatus={})
