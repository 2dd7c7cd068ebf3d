"""Whether a bucket keeps versions."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.operations import Context
from gateway.s3.errors import S3Error
from gateway.s3.model import operation


@operation
async def get_bucket_versioning(cx: Context, bucket: str) -> dict[str, Any]:
    """A bucket that never had versioning answers an empty configuration.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketVersioning.html
    """
    return {"status": cx.here.versioning or None}


@operation
async def put_bucket_versioning(
    cx: Context,
    bucket: str,
    versioning_configuration: dict[str, Any],
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketVersioning.html"""
    status = versioning_configuration.get("status")
    if versioning_configuration.get("mfa_delete") == "Enabled":
        raise S3Error("NotImplemented", "MfaDelete is not implemented.")
    if not status:
        raise S3Error("IllegalVersioningConfigurationException", "The Versioning element must be specified")
    await cx.catalog.update_bucket(cx.origin, bucket, lambda found: msgspec.structs.replace(found, versioning=status))
