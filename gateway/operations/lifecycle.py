"""A bucket's lifecycle rules, as S3 takes them; `gateway.lifecycle` carries them out."""

from __future__ import annotations

from typing import Any

import msgspec

from catalog.lifecycle import DEFAULT_MINIMUM, SETTING, Configuration, configuration
from gateway.operations import Context
from gateway.operations.configurations import keep
from gateway.operations.rules import read_rules
from gateway.s3.errors import S3Error
from gateway.s3.model import operation


@operation
async def get_bucket_lifecycle_configuration(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketLifecycleConfiguration.html"""
    found = configuration(cx.here)
    if found is None:
        raise S3Error("NoSuchLifecycleConfiguration", fields={"BucketName": bucket})
    return {
        "rules": [msgspec.to_builtins(rule) for rule in found.rules],
        "transition_default_minimum_object_size": found.transition_default_minimum_object_size,
    }


@operation
async def put_bucket_lifecycle_configuration(
    cx: Context,
    bucket: str,
    lifecycle_configuration: dict[str, Any] | None = None,
    transition_default_minimum_object_size: str | None = None,
) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html"""
    rules = read_rules((lifecycle_configuration or {}).get("rules") or [])
    made = Configuration(rules, transition_default_minimum_object_size or DEFAULT_MINIMUM)
    await keep(cx, SETTING, msgspec.json.encode(made).decode())
    return {"transition_default_minimum_object_size": made.transition_default_minimum_object_size}


@operation
async def delete_bucket_lifecycle(cx: Context, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketLifecycle.html"""
    if configuration(cx.here) is not None:
        await keep(cx, SETTING, None)
