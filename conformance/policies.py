"""Policies as tests write them."""

from __future__ import annotations

import json
from typing import Any

ARN = "arn:aws:s3:::"
ALICES = "arn:aws:iam::000000000000:user/alice"


def statement(bucket: str, action: str | list[str], where: str = "/*", **given: Any) -> dict[str, Any]:
    """An Allow for alice on all keys; `where` goes behind the bucket's name."""
    usual = {"Effect": "Allow", "Principal": {"AWS": ALICES}, "Action": action, "Resource": f"{ARN}{bucket}{where}"}
    return usual | given


def put_policy(client: Any, bucket: str, *statements: dict[str, Any]) -> str:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    client.put_bucket_policy(Bucket=bucket, Policy=text)
    return text


def open_up(client: Any, bucket: str) -> None:
    """Let the bucket be public, if anything makes it so."""
    client.delete_public_access_block(Bucket=bucket)
