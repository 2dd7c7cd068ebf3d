from __future__ import annotations

from typing import Any

from conformance.locks import COMPLIANCE, by_default
from conformance.raw import Raw
from conformance.unconfigured import check_none


def test_there_is_none(s3: Any, alice: Any, bucket: str) -> None:
    check_none(s3, alice, bucket, "get_object_lock_configuration", "ObjectLockConfigurationNotFoundError")


def test_document_of_a_bucket_without_a_default(raw: Raw, locked: str) -> None:
    answer = raw.get(f"/{locked}", {"object-lock": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}ObjectLockConfiguration"
    assert answer.text("ObjectLockEnabled") == "Enabled"
    assert len(answer.root) == 1


def test_document_with_a_default(s3: Any, raw: Raw, locked: str) -> None:
    by_default(s3, locked, COMPLIANCE, Years=7)
    retention = "Rule/DefaultRetention"
    answer = raw.get(f"/{locked}", {"object-lock": ""})
    found = [answer.text(f"{retention}/{name}") for name in ("Mode", "Years", "Days")]
    assert found == ["COMPLIANCE", "7", None]
