from __future__ import annotations

from typing import Any

from conformance.unconfigured import check_others


def test_the_owner_pays(s3: Any, bucket: str) -> None:
    assert s3.get_bucket_request_payment(Bucket=bucket)["Payer"] == "BucketOwner"


def test_bucket_of_others(s3: Any, alice: Any, bucket: str) -> None:
    check_others(s3, alice, bucket, "get_bucket_request_payment")
