from __future__ import annotations

from typing import Any

from conformance.locks import GOVERNANCE, hold, retain
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.unconfigured import check_without_lock


def test_bucket_without_object_lock(s3: Any, alice: Any, bucket: str) -> None:
    check_without_lock(s3, alice, bucket, "get_object_legal_hold")


def test_document(s3: Any, raw: Raw, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    hold(s3, locked, "ON")
    answer = raw.get(f"/{locked}/key", {"legal-hold": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}LegalHold"
    assert (len(answer.root), answer.text("Status")) == (1, "ON")


def test_object_that_never_had_one(s3: Any, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    retain(s3, locked, GOVERNANCE, 1)
    with refused("NoSuchObjectLockConfiguration", 404):
        s3.get_object_legal_hold(Bucket=locked, Key="key")
    with refused("NoSuchKey", 404):
        s3.get_object_legal_hold(Bucket=locked, Key="none")
