from __future__ import annotations

from typing import Any

from conformance.refusals import refused


def test_block_is_gone(s3: Any, bucket: str) -> None:
    assert s3.delete_public_access_block(Bucket=bucket)["ResponseMetadata"]["HTTPStatusCode"] == 204
    with refused("NoSuchPublicAccessBlockConfiguration", 404):
        s3.get_public_access_block(Bucket=bucket)


def test_one_may_be_put_again(s3: Any, bucket: str) -> None:
    s3.delete_public_access_block(Bucket=bucket)
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicAcls": True})
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]["BlockPublicAcls"]


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.delete_public_access_block(Bucket=bucket)
