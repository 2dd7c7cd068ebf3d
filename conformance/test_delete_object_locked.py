"""Nothing ends a version that is locked: one way after the other, and all at once."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier
from typing import Any

from botocore.exceptions import ClientError

from conformance.conftest import ALICE_ID
from conformance.locks import COMPLIANCE, GOVERNANCE, LOCKED, hold, in_days, protected, retain
from conformance.server import Server


def put(s3: Any, bucket: str, key: str = "key", **lock: Any) -> str:
    version: str = s3.put_object(Bucket=bucket, Key=key, Body=b"body", **lock)["VersionId"]
    return version


def allow(s3: Any, bucket: str, user_id: str, key: str, *actions: str) -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"CanonicalUser": user_id},
        "Action": list(actions),
        "Resource": f"arn:aws:s3:::{bucket}/{key}",
    }
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}))


def held(s3: Any, bucket: str, key: str, version: str) -> bool:
    found = s3.list_object_versions(Bucket=bucket, Prefix=key).get("Versions", [])
    return version in [each["VersionId"] for each in found]


def test_governance_ends_by_a_bypass(s3: Any, locked: str) -> None:
    version = put(s3, locked)
    retain(s3, locked, GOVERNANCE, 1)
    for more in ({}, {"BypassGovernanceRetention": False}):
        with protected():
            s3.delete_object(Bucket=locked, Key="key", VersionId=version, **more)
    s3.delete_object(Bucket=locked, Key="key", VersionId=version, BypassGovernanceRetention=True)
    assert not held(s3, locked, "key", version)


def test_compliance_ends_for_nobody(s3: Any, locked: str) -> None:
    version = put(s3, locked)
    retain(s3, locked, COMPLIANCE, 1)
    for bypass in (False, True):
        with protected():
            s3.delete_object(Bucket=locked, Key="key", VersionId=version, BypassGovernanceRetention=bypass)
    assert held(s3, locked, "key", version)


def test_retention_binds_until_its_date(s3: Any, locked: str) -> None:
    until = in_days(1 / 86400)
    version = put(s3, locked, ObjectLockMode=COMPLIANCE, ObjectLockRetainUntilDate=until)
    refusals = 0
    while True:
        asked = datetime.now(UTC)
        try:
            s3.delete_object(Bucket=locked, Key="key", VersionId=version)
            break
        except ClientError as refusal:
            assert refusal.response["Error"]["Message"] == LOCKED
            assert asked < until
            refusals += 1
    assert datetime.now(UTC) >= until
    assert refusals


def test_retention_that_is_over_is_shown_and_may_be_any_other(s3: Any, locked: str) -> None:
    until = in_days(1 / 86400)
    put(s3, locked, ObjectLockMode=COMPLIANCE, ObjectLockRetainUntilDate=until)
    while datetime.now(UTC) <= until:
        assert s3.head_object(Bucket=locked, Key="key")["ObjectLockMode"] == COMPLIANCE
    assert s3.get_object_retention(Bucket=locked, Key="key")["Retention"]["RetainUntilDate"] == until
    wanted = retain(s3, locked, GOVERNANCE, 1)
    assert s3.get_object_retention(Bucket=locked, Key="key")["Retention"] == wanted


def test_without_a_version_id_a_marker_is_made(s3: Any, locked: str) -> None:
    version = put(s3, locked, ObjectLockLegalHoldStatus="ON")
    marker = s3.delete_object(Bucket=locked, Key="key")
    assert marker["DeleteMarker"] is True
    with protected():
        s3.delete_object(Bucket=locked, Key="key", VersionId=version)
    s3.delete_object(Bucket=locked, Key="key", VersionId=marker["VersionId"])
    assert s3.get_object(Bucket=locked, Key="key")["VersionId"] == version


def test_condition_is_no_way_around(s3: Any, locked: str) -> None:
    made = s3.put_object(Bucket=locked, Key="key", Body=b"body", ObjectLockLegalHoldStatus="ON")
    with protected():
        s3.delete_object(Bucket=locked, Key="key", VersionId=made["VersionId"], IfMatch=made["ETag"])


def test_of_many_only_those_end_that_may(s3: Any, locked: str) -> None:
    until = in_days(1)
    versions = {
        "free": put(s3, locked, "free"),
        "governed": put(s3, locked, "governed", ObjectLockMode=GOVERNANCE, ObjectLockRetainUntilDate=until),
        "complying": put(s3, locked, "complying", ObjectLockMode=COMPLIANCE, ObjectLockRetainUntilDate=until),
        "held": put(s3, locked, "held", ObjectLockLegalHoldStatus="ON"),
    }
    named = {"Objects": [{"Key": key, "VersionId": version} for key, version in versions.items()]}
    came = s3.delete_objects(Bucket=locked, Delete=named)
    assert [each["Key"] for each in came["Deleted"]] == ["free"]
    assert [(each["Key"], each["VersionId"], each["Code"], each["Message"]) for each in came["Errors"]] == [
        (key, version, "AccessDenied", LOCKED) for key, version in versions.items() if key != "free"
    ]
    came = s3.delete_objects(Bucket=locked, Delete=named, BypassGovernanceRetention=True)
    assert [each["Key"] for each in came["Deleted"]] == ["free", "governed"]
    assert [each["Key"] for each in came["Errors"]] == ["complying", "held"]
    came = s3.delete_objects(Bucket=locked, Delete={"Objects": [{"Key": key} for key in versions]})
    assert len(came["Deleted"]) == 4


def test_bucket_without_object_lock_passes_over_a_bypass(s3: Any, versioned: str) -> None:
    version = put(s3, versioned)
    s3.delete_object(Bucket=versioned, Key="key", VersionId=version, BypassGovernanceRetention=True)
    assert not held(s3, versioned, "key", version)


def test_policy_says_who_may_bypass(s3: Any, alice: Any, locked: str) -> None:
    until = in_days(1)
    for key in ("a", "b"):
        put(
            s3, locked, key, ObjectLockMode=GOVERNANCE, ObjectLockRetainUntilDate=until, ObjectLockLegalHoldStatus="OFF"
        )
    versions = {each["Key"]: each["VersionId"] for each in s3.list_object_versions(Bucket=locked)["Versions"]}
    allow(s3, locked, ALICE_ID, "a", "s3:GetObject*", "s3:DeleteObjectVersion", "s3:PutObjectRetention")
    named = {"Objects": [{"Key": key, "VersionId": version} for key, version in versions.items()]}
    with protected():
        alice.delete_object(Bucket=locked, Key="a", VersionId=versions["a"], BypassGovernanceRetention=True)
    with protected():
        alice.put_object_retention(Bucket=locked, Key="a", Retention={}, BypassGovernanceRetention=True)
    came = alice.delete_objects(Bucket=locked, Delete=named, BypassGovernanceRetention=True)
    assert {each["Key"]: each["Message"] for each in came["Errors"]} == {"a": LOCKED, "b": "Access Denied"}
    allow(s3, locked, ALICE_ID, "a", "s3:DeleteObjectVersion", "s3:BypassGovernanceRetention")
    came = alice.delete_objects(Bucket=locked, Delete=named, BypassGovernanceRetention=True)
    assert [each["Key"] for each in came["Deleted"]] == ["a"]
    assert held(s3, locked, "b", versions["b"])


def test_lock_is_shown_to_those_who_may_see_it(s3: Any, alice: Any, locked: str) -> None:
    put(s3, locked, ObjectLockMode=GOVERNANCE, ObjectLockRetainUntilDate=in_days(1), ObjectLockLegalHoldStatus="ON")
    seen = {"s3:GetObjectRetention": "ObjectLockMode", "s3:GetObjectLegalHold": "ObjectLockLegalHoldStatus"}
    for action, name in seen.items():
        allow(s3, locked, ALICE_ID, "key", "s3:GetObject", action)
        head = alice.head_object(Bucket=locked, Key="key")
        assert [each for each in seen.values() if each in head] == [name]


def test_who_locks_first_keeps_it(two_workers: Server, new_name: Callable[[str], str]) -> None:
    """Two writers of two processes, one who locks and one who deletes, again and again: never do both succeed."""
    first, second = two_workers.client(), two_workers.client()
    bucket = new_name("race")
    first.create_bucket(Bucket=bucket, ObjectLockEnabledForBucket=True)
    start = Barrier(2)

    def attempt(act: Callable[[], Any]) -> str:
        start.wait()
        try:
            act()
        except ClientError as refusal:
            return str(refusal.response["Error"]["Code"])
        return "done"

    with ThreadPoolExecutor(2) as pool:
        for number in range(150):
            key, retains = f"{number:03}", number % 2
            version = put(first, bucket, key)

            def lock(key: str = key, version: str = version, retains: int = retains) -> None:
                if retains:
                    retain(first, bucket, COMPLIANCE, 1, key, VersionId=version)
                else:
                    hold(first, bucket, "ON", key, VersionId=version)

            def delete(key: str = key, version: str = version) -> None:
                second.delete_object(Bucket=bucket, Key=key, VersionId=version, BypassGovernanceRetention=True)

            locking, deleting = pool.submit(attempt, lock), pool.submit(attempt, delete)
            outcome = (locking.result(), deleting.result())
            assert outcome in {("done", "AccessDenied"), ("NoSuchVersion", "done")}
            assert held(first, bucket, key, version) == (outcome[0] == "done")
