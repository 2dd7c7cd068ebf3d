"""Who pays for requests to a bucket: `gateway.access.payer` says what that means here."""

from __future__ import annotations

from typing import Any

from gateway.access.payer import BUCKET_OWNER, REQUESTER, SETTING
from gateway.operations import Context
from gateway.operations.configurations import keep, kept
from gateway.s3.model import operation


@operation
async def get_bucket_request_payment(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketRequestPayment.html"""
    return {"payer": kept(cx.here, SETTING, BUCKET_OWNER)}


@operation
async def put_bucket_request_payment(
    cx: Context, bucket: str, request_payment_configuration: dict[str, Any], checksum_algorithm: str | None = None
) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketRequestPayment.html"""
    wanted = request_payment_configuration["payer"]
    if wanted != kept(cx.here, SETTING, BUCKET_OWNER):
        await keep(cx, SETTING, REQUESTER if wanted == REQUESTER else None)
