from __future__ import annotations

from typing import Any

import pytest

from conformance.locks import COMPLIANCE, GOVERNANCE, hold, protected, retain
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.unconfigured import check_without_lock


def test_bucket_without_object_lock(s3: Any, alice: Any, bucket: str) -> None:
    check_without_lock(s3, alice, bucket, "put_object_legal_hold", LegalHold={"Status": "ON"})


def test_on_and_off_again(s3: Any, locked: str) -> None:
    version = s3.put_object(Bucket=locked, Key="key")["VersionId"]
    hold(s3, locked, "ON")
    for bypass in (False, True):
        with protected():
            s3.delete_object(Bucket=locked, Key="key", VersionId=version, BypassGovernanceRetention=bypass)
    hold(s3, locked, "OFF")
    assert s3.get_object_legal_hold(Bucket=locked, Key="key")["LegalHold"] == {"Status": "OFF"}
    s3.delete_object(Bucket=locked, Key="key", VersionId=version)


@pytest.mark.parametrize("mode", [GOVERNANCE, COMPLIANCE])
def test_retention_is_another_matter(s3: Any, locked: str, mode: str) -> None:
    version = s3.put_object(Bucket=locked, Key="key")["VersionId"]
    wanted = retain(s3, locked, mode, 1)
    hold(s3, locked, "ON")
    longer = retain(s3, locked, mode, 2)
    assert longer["RetainUntilDate"] > wanted["RetainUntilDate"]
    hold(s3, locked, "OFF")
    assert s3.get_object_retention(Bucket=locked, Key="key")["Retention"] == longer
    with protected():
        s3.delete_object(Bucket=locked, Key="key", VersionId=version)


@pytest.mark.parametrize(
    "content",
    ["", "no XML", "<LegalHold/>", "<LegalHold><Status/></LegalHold>", "<LegalHold><Status>on</Status></LegalHold>"],
)
def test_document_that_is_malformed(raw: Raw, s3: Any, locked: str, content: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    answer = raw.put_document(f"/{locked}/key", content.encode(), {"legal-hold": ""})
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_document_without_a_digest(raw: Raw, s3: Any, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    answer = raw.put(f"/{locked}/key", b"<LegalHold><Status>ON</Status></LegalHold>", {"legal-hold": ""})
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    assert answer.text("Message") == "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"


def test_what_is_not_there(s3: Any, locked: str) -> None:
    with refused("NoSuchKey", 404):
        hold(s3, locked, "ON")
    s3.put_object(Bucket=locked, Key="key")
    marker = s3.delete_object(Bucket=locked, Key="key")["VersionId"]
    with refused("MethodNotAllowed", 405):
        hold(s3, locked, "ON", VersionId=marker)


def test_who_may_not(s3: Any, alice: Any, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key", ObjectLockLegalHoldStatus="ON")
    with refused("AccessDenied", 403):
        hold(alice, locked, "OFF")
