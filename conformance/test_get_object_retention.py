from __future__ import annotations

from typing import Any

from conformance.locks import COMPLIANCE, retain
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.unconfigured import check_without_lock


def test_bucket_without_object_lock(s3: Any, alice: Any, bucket: str) -> None:
    check_without_lock(s3, alice, bucket, "get_object_retention")


def test_document(s3: Any, raw: Raw, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    wanted = retain(s3, locked, COMPLIANCE, 1)
    answer = raw.get(f"/{locked}/key", {"retention": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}Retention"
    date = wanted["RetainUntilDate"].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert [answer.text("Mode"), answer.text("RetainUntilDate")] == [COMPLIANCE, date]


def test_object_without(s3: Any, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key", ObjectLockLegalHoldStatus="ON")
    with refused("NoSuchObjectLockConfiguration", 404):
        s3.get_object_retention(Bucket=locked, Key="key")
    with refused("NoSuchKey", 404):
        s3.get_object_retention(Bucket=locked, Key="none")
    with refused("NoSuchVersion", 404):
        s3.get_object_retention(Bucket=locked, Key="key", VersionId="0" * 32)
