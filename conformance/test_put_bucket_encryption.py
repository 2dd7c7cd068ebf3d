"""https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketEncryption.html"""

from __future__ import annotations

from typing import Any

import pytest

from conformance.refusals import refused

AES256 = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}


def put(s3: Any, bucket: str, *rules: dict[str, Any]) -> Any:
    return s3.put_bucket_encryption(Bucket=bucket, ServerSideEncryptionConfiguration={"Rules": list(rules)})


def test_it_is_given_back(s3: Any, bucket: str) -> None:
    for rule in (
        AES256,
        {**AES256, "BucketKeyEnabled": True},
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}},
        {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": "any"}},
        {**AES256, "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]}},
        {"BlockedEncryptionTypes": {"EncryptionType": ["NONE"]}},
    ):
        assert put(s3, bucket, rule)["ResponseMetadata"]["HTTPStatusCode"] == 200
        kept = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        assert kept == [rule]


def test_new_objects_are_encrypted_and_those_of_before_stay(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="before", Body=b"plain")
    put(s3, bucket, AES256)
    assert s3.put_object(Bucket=bucket, Key="after", Body=b"sealed")["ServerSideEncryption"] == "AES256"
    assert s3.head_object(Bucket=bucket, Key="after")["ServerSideEncryption"] == "AES256"
    assert "ServerSideEncryption" not in s3.head_object(Bucket=bucket, Key="before")
    copied = s3.copy_object(Bucket=bucket, Key="copy", CopySource=f"{bucket}/before")
    assert copied["ServerSideEncryption"] == "AES256"
    assert s3.get_object(Bucket=bucket, Key="copy")["Body"].read() == b"plain"
    s3.delete_bucket_encryption(Bucket=bucket)
    assert "ServerSideEncryption" not in s3.put_object(Bucket=bucket, Key="later", Body=b"plain")
    assert s3.get_object(Bucket=bucket, Key="after")["Body"].read() == b"sealed"


@pytest.mark.parametrize(
    "rules",
    [
        [],
        [AES256, AES256],
        [{}],
        [{"BucketKeyEnabled": False, "BlockedEncryptionTypes": {"EncryptionType": ["NONE", "SSE-C"]}}],
        [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "ROT13"}}],
    ],
)
def test_what_is_no_rule_is_malformed(s3: Any, bucket: str, rules: list[dict[str, Any]]) -> None:
    with refused("MalformedXML", 400):
        put(s3, bucket, *rules)
    with refused("ServerSideEncryptionConfigurationNotFoundError", 404):
        s3.get_bucket_encryption(Bucket=bucket)


def test_two_layers_are_not_built(s3: Any, bucket: str) -> None:
    with refused("NotImplemented", 501):
        put(s3, bucket, {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms:dsse"}})


def test_a_key_of_a_kms_goes_with_no_other_algorithm(s3: Any, bucket: str) -> None:
    with refused("InvalidArgument", 400):
        put(s3, bucket, {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256", "KMSMasterKeyID": "key"}})


def test_only_the_owner_of_the_bucket_may(s3: Any, alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        put(alice, bucket, AES256)
    with refused("NoSuchBucket", 404):
        put(s3, "there-is-no-such-bucket", AES256)
