"""How a bucket has its new objects encrypted where a request does not say."""

from __future__ import annotations

from typing import Any

import msgspec

from gateway.operations import Context
from gateway.operations.configurations import keep
from gateway.operations.encryption import KMS, SETTING, SSE_C, SSE_S3, Default, default_of, no_double_encryption
from gateway.s3.errors import S3Error, invalid_argument
from gateway.s3.model import operation

NONE = "NONE"
DSSE = "aws:kms:dsse"


@operation
async def get_bucket_encryption(cx: Context, bucket: str) -> dict[str, Any]:
    """Without a configuration nothing is encrypted here that no request asks to be: unlike at AWS's, there is none.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html
    """
    found = default_of(cx.here)
    if found == Default():
        raise S3Error("ServerSideEncryptionConfigurationNotFoundError", fields={"BucketName": bucket})
    rule: dict[str, Any] = {"bucket_key_enabled": found.bucket_key}
    if found.algorithm:
        rule["apply_server_side_encryption_by_default"] = {
            "sse_algorithm": found.algorithm,
            "kms_master_key_id": found.kms_key or None,
        }
    if found.blocked is not None:
        rule["blocked_encryption_types"] = {"encryption_type": list(found.blocked) or [NONE]}
    return {"server_side_encryption_configuration": {"rules": [rule]}}


@operation
async def put_bucket_encryption(cx: Context, bucket: str, server_side_encryption_configuration: dict[str, Any]) -> None:
    """A KMS's key is not looked for before it is used.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html
    """
    rules = server_side_encryption_configuration.get("rules") or []
    if len(rules) != 1:
        raise S3Error("MalformedXML")
    found = read_rule(rules[0])
    if found == Default():
        raise S3Error("MalformedXML")
    await keep(cx, SETTING, msgspec.json.encode(found).decode())


@operation
async def delete_bucket_encryption(cx: Context, bucket: str) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteBucketEncryption.html"""
    if default_of(cx.here) != Default():
        await keep(cx, SETTING, None)


def read_rule(rule: dict[str, Any]) -> Default:
    given = rule.get("apply_server_side_encryption_by_default") or {}
    algorithm, key = given.get("sse_algorithm") or "", given.get("kms_master_key_id")
    if given and not algorithm:
        raise S3Error("MalformedXML")
    if algorithm == DSSE:
        raise no_double_encryption(algorithm)
    if algorithm not in ("", SSE_S3, KMS):
        raise S3Error("MalformedXML")
    if key is not None and algorithm != KMS:
        message = "a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse"
        raise invalid_argument(message, "ApplyServerSideEncryptionByDefault", algorithm)
    blocked = read_blocked(rule.get("blocked_encryption_types"))
    return Default(algorithm, rule.get("bucket_key_enabled"), blocked, key or "")


def read_blocked(given: dict[str, Any] | None) -> tuple[str, ...] | None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/blocking-unblocking-s3-c-encryption-gpb.html"""
    if given is None:
        return None
    types = given.get("encryption_type") or []
    if types == [NONE]:
        return ()
    if types != [SSE_C]:
        raise S3Error("MalformedXML")
    return (SSE_C,)
