from __future__ import annotations

from typing import Any

from conformance.unconfigured import check_without_lock


def test_bucket_without_object_lock(s3: Any, alice: Any, bucket: str) -> None:
    check_without_lock(s3, alice, bucket, "get_object_legal_hold")
