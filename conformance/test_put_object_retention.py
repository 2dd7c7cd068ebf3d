from __future__ import annotations

from typing import Any

import pytest

from conformance.locks import COMPLIANCE, GOVERNANCE, in_days, protected, retain, retention
from conformance.raw import Answer, Raw
from conformance.refusals import refused
from conformance.unconfigured import check_without_lock


def retained(s3: Any, bucket: str, **more: Any) -> Any:
    return s3.get_object_retention(Bucket=bucket, Key="key", **more)["Retention"]


def put_raw(raw: Raw, bucket: str, content: str, query: dict[str, str] | None = None, key: str = "key") -> Answer:
    document = content.encode()
    return raw.put_document(f"/{bucket}/{key}", document, {"retention": "", **(query or {})})


def test_bucket_without_object_lock(s3: Any, alice: Any, bucket: str) -> None:
    check_without_lock(s3, alice, bucket, "put_object_retention", Retention=retention(GOVERNANCE, 1))


@pytest.mark.parametrize("mode", [GOVERNANCE, COMPLIANCE])
def test_longer_at_any_time(s3: Any, locked: str, mode: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    retain(s3, locked, mode, 1)
    longer = retain(s3, locked, mode, 2)
    assert retained(s3, locked) == longer
    s3.put_object_retention(Bucket=locked, Key="key", Retention=longer)
    assert retained(s3, locked) == longer


@pytest.mark.parametrize("days, mode", [(1, GOVERNANCE), (2, COMPLIANCE), (3, COMPLIANCE)])
def test_governance_is_changed_by_a_bypass_only(s3: Any, locked: str, days: int, mode: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    before = retain(s3, locked, GOVERNANCE, 2)
    with protected():
        retain(s3, locked, mode, days)
    with protected():
        retain(s3, locked, mode, days, BypassGovernanceRetention=False)
    assert retained(s3, locked) == before
    after = retain(s3, locked, mode, days, BypassGovernanceRetention=True)
    assert retained(s3, locked) == after


@pytest.mark.parametrize("days, mode", [(1, COMPLIANCE), (2, GOVERNANCE), (3, GOVERNANCE)])
def test_compliance_becomes_less_for_nobody(s3: Any, locked: str, days: int, mode: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    before = retain(s3, locked, COMPLIANCE, 2)
    for bypass in (False, True):
        with protected():
            retain(s3, locked, mode, days, BypassGovernanceRetention=bypass)
    assert retained(s3, locked) == before


def test_none_any_more(s3: Any, raw: Raw, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    retain(s3, locked, GOVERNANCE, 1)
    assert put_raw(raw, locked, "<Retention/>").code == "AccessDenied"
    s3.put_object_retention(Bucket=locked, Key="key", Retention={}, BypassGovernanceRetention=True)
    with refused("NoSuchObjectLockConfiguration", 404):
        retained(s3, locked)
    retain(s3, locked, COMPLIANCE, 1)
    with protected():
        s3.put_object_retention(Bucket=locked, Key="key", Retention={}, BypassGovernanceRetention=True)


def test_version_named(s3: Any, locked: str) -> None:
    first, second = (s3.put_object(Bucket=locked, Key="key")["VersionId"] for _ in range(2))
    wanted = retain(s3, locked, COMPLIANCE, 1, VersionId=first)
    assert retained(s3, locked, VersionId=first) == wanted
    with refused("NoSuchObjectLockConfiguration", 404):
        retained(s3, locked, VersionId=second)
    with protected():
        s3.delete_object(Bucket=locked, Key="key", VersionId=first)
    s3.delete_object(Bucket=locked, Key="key", VersionId=second)


def test_null_version_of_before(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"of before")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    s3.put_object_lock_configuration(Bucket=bucket, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    retain(s3, bucket, COMPLIANCE, 1)
    s3.put_object(Bucket=bucket, Key="key", Body=b"since")
    with protected():
        s3.delete_object(Bucket=bucket, Key="key", VersionId="null")
    assert s3.get_object(Bucket=bucket, Key="key", VersionId="null")["Body"].read() == b"of before"


def test_everything_else_of_the_version_stays(s3: Any, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key", Body=b"body", Metadata={"a": "b"}, Tagging="t=1", ContentType="text/plain")
    before = s3.head_object(Bucket=locked, Key="key")
    wanted = retain(s3, locked, GOVERNANCE, 1)
    s3.put_object_tagging(Bucket=locked, Key="key", Tagging={"TagSet": [{"Key": "t", "Value": "2"}]})
    after = s3.head_object(Bucket=locked, Key="key")
    assert (after.pop("ObjectLockMode"), after.pop("ObjectLockRetainUntilDate")) == tuple(wanted.values())
    for answer in (before, after):
        del answer["ResponseMetadata"]
    assert after == before


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no XML",
        "<Retention><Mode>GOVERNANCE</Mode></Retention>",
        "<Retention><RetainUntilDate>2140-01-01T00:00:00Z</RetainUntilDate></Retention>",
        "<Retention><Mode>governance</Mode><RetainUntilDate>2140-01-01T00:00:00Z</RetainUntilDate></Retention>",
        "<Retention><Mode></Mode><RetainUntilDate>2140-01-01T00:00:00Z</RetainUntilDate></Retention>",
        "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>tomorrow</RetainUntilDate></Retention>",
        "<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>9999-12-31T23:59:59-10:00</RetainUntilDate></Retention>",
        "<LegalHold><Status>ON</Status></LegalHold>",
    ],
)
def test_document_that_is_malformed(raw: Raw, s3: Any, locked: str, content: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    answer = put_raw(raw, locked, content)
    assert (answer.status, answer.code) == (400, "MalformedXML")
    with refused("NoSuchObjectLockConfiguration", 404):
        retained(s3, locked)


@pytest.mark.parametrize("date", ["2020-01-01T00:00:00Z", "1969-01-01T00:00:00.5Z"])
def test_date_of_the_past(raw: Raw, s3: Any, locked: str, date: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    content = f"<Retention><Mode>GOVERNANCE</Mode><RetainUntilDate>{date}</RetainUntilDate></Retention>"
    answer = put_raw(raw, locked, content)
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert answer.text("Message") == "The retain until date must be in the future!"
    assert answer.text("ArgumentName") == "RetainUntilDate"


def test_document_without_a_digest(raw: Raw, s3: Any, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    assert raw.put(f"/{locked}/key", b"<Retention/>", {"retention": ""}).code == "InvalidRequest"


def test_bypass_that_is_no_truth(raw: Raw, s3: Any, locked: str) -> None:
    version = s3.put_object(Bucket=locked, Key="key")["VersionId"]
    headers = {"x-amz-bypass-governance-retention": "perhaps"}
    answer = raw.delete(f"/{locked}/key", {"versionId": version}, headers)
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_what_is_not_there(s3: Any, raw: Raw, locked: str) -> None:
    with refused("NoSuchKey", 404):
        retain(s3, locked, GOVERNANCE, 1)
    s3.put_object(Bucket=locked, Key="key")
    with refused("NoSuchVersion", 404):
        retain(s3, locked, GOVERNANCE, 1, VersionId="0" * 32)
    with refused("InvalidArgument", 400):
        retain(s3, locked, GOVERNANCE, 1, VersionId="none")


def test_delete_marker_has_none(s3: Any, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    marker = s3.delete_object(Bucket=locked, Key="key")["VersionId"]
    for more in ({}, {"VersionId": marker}):
        with refused("MethodNotAllowed", 405):
            retain(s3, locked, GOVERNANCE, 1, **more)


def test_who_may_not(s3: Any, alice: Any, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key", ObjectLockMode=GOVERNANCE, ObjectLockRetainUntilDate=in_days(1))
    with refused("AccessDenied", 403):
        retain(alice, locked, GOVERNANCE, 2, BypassGovernanceRetention=True)
