"""What a bucket lets pages of other sites do: see `gateway.cors`."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway import cors
from gateway.operations import Context
from gateway.operations.configurations import keep
from gateway.s3.errors import S3Error
from gateway.s3.model import operation

MAX_RULES = 100
MAX_ID = 255  # characters


@operation
async def get_bucket_cors(cx: Context, bucket: str) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketCors.html"""
    rules = cors.rules_of(cx.here)
    if not rules:
        raise S3Error("NoSuchCORSConfiguration", fields={"BucketName": bucket})
    return {"cors_rules": [msgspec.structs.asdict(rule) for rule in rules]}


@operation
async def put_bucket_cors(cx: Context, bucket: str, cors_configuration: dict[str, Any]) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketCors.html"""
    rules = [cors.Rule(**given) for given in cors_configuration.get("cors_rules") or []]
    if not 0 < len(rules) <= MAX_RULES or not all(map(is_whole, rules)):
        raise S3Error("MalformedXML")
    cors.check(rules)
    await keep(cx, cors.SETTING, msgspec.json.encode(rules).decode())


@operation
async def delete_bucket_cors(cx: Context, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketCors.html"""
    if cors.rules_of(cx.here):
        await keep(cx, cors.SETTING, None)


def is_whole(rule: cors.Rule) -> bool:
    """Whether it has all that the document must have. An age below zero, as S3 takes it, lets nothing be cached."""
    return bool(rule.allowed_methods and rule.allowed_origins and len(rule.id or "") <= MAX_ID)
