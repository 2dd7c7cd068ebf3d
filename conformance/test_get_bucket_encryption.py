from __future__ import annotations

from typing import Any

from conformance.unconfigured import check_none


def test_bucket_has_none(s3: Any, alice: Any, bucket: str) -> None:
    check_none(s3, alice, bucket, "get_bucket_encryption", "ServerSideEncryptionConfigurationNotFoundError")
