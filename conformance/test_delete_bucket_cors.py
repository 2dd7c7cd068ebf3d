from __future__ import annotations

from typing import Any

from conformance.refusals import refused
from conformance.unconfigured import check_delete

RULE = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}


def test_bucket_without_one_is_well(s3: Any, alice: Any, bucket: str) -> None:
    check_delete(s3, alice, bucket, "delete_bucket_cors")


def test_what_was_put_is_gone(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [RULE]})
    check_delete(s3, alice, bucket, "delete_bucket_cors")
    with refused("NoSuchCORSConfiguration", 404):
        s3.get_bucket_cors(Bucket=bucket)
