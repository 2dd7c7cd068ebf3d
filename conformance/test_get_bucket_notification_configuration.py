from __future__ import annotations

from typing import Any

from conformance.raw import Raw
from conformance.unconfigured import check_empty, check_others


def test_bucket_has_none(raw: Raw, bucket: str) -> None:
    check_empty(raw, bucket, "notification", "NotificationConfiguration")


def test_bucket_of_others(s3: Any, alice: Any, bucket: str) -> None:
    check_others(s3, alice, bucket, "get_bucket_notification_configuration")
