"""Configurations that no bucket has, for they cannot be given to one yet: reading says so, deleting changes nothing."""

from __future__ import annotations

from typing import Any

from gateway.operations import Context
from gateway.s3.errors import S3Error
from gateway.s3.model import operation


@operation
async def get_bucket_replication(cx: Context, bucket: str) -> dict[str, Any]:
    raise none("ReplicationConfigurationNotFoundError", bucket)


@operation
async def get_bucket_website(cx: Context, bucket: str) -> dict[str, Any]:
    raise none("NoSuchWebsiteConfiguration", bucket)


@operation
async def get_bucket_accelerate_configuration(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketAccelerateConfiguration.html"""
    return {}


@operation
async def delete_bucket_replication(cx: Context, bucket: str) -> None:
    pass


@operation
async def delete_bucket_website(cx: Context, bucket: str) -> None:
    pass


def none(code: str, bucket: str) -> S3Error:
    return S3Error(code, fields={"BucketName": bucket})
