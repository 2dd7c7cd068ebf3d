"""Object Lock, as far as no bucket has it: S3 says so before it looks at the object."""

from __future__ import annotations

from typing import Any

from gateway.operations import Context
from gateway.s3.errors import S3Error
from gateway.s3.model import operation


@operation
async def get_object_retention(cx: Context, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectRetention.html"""
    raise without_lock()


@operation
async def put_object_retention(
    cx: Context, bucket: str, key: str, retention: dict[str, Any] | None = None, version_id: str | None = None
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectRetention.html"""
    raise without_lock()


@operation
async def get_object_legal_hold(cx: Context, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectLegalHold.html"""
    raise without_lock()


@operation
async def put_object_legal_hold(
    cx: Context, bucket: str, key: str, legal_hold: dict[str, Any] | None = None, version_id: str | None = None
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObjectLegalHold.html"""
    raise without_lock()


def without_lock() -> S3Error:
    return S3Error("InvalidRequest", "Bucket is missing Object Lock Configuration")
