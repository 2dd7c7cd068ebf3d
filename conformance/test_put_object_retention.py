from __future__ import annotations

from typing import Any

from conformance.unconfigured import check_without_lock


def test_bucket_without_object_lock(s3: Any, alice: Any, bucket: str) -> None:
    retention = {"Mode": "GOVERNANCE", "RetainUntilDate": "2040-01-01T00:00:00Z"}
    check_without_lock(s3, alice, bucket, "put_object_retention", Retention=retention)
