from __future__ import annotations

from typing import Any

from conformance.unconfigured import check_delete


def test_bucket_without_one_is_well(s3: Any, alice: Any, bucket: str) -> None:
    check_delete(s3, alice, bucket, "delete_bucket_policy")
