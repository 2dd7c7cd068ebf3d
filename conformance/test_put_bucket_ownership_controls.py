from __future__ import annotations

from typing import Any

import pytest

from conformance.raw import Raw
from conformance.refusals import refused


def put(s3: Any, bucket: str, ownership: str) -> Any:
    controls = {"Rules": [{"ObjectOwnership": ownership}]}
    return s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=controls)


@pytest.mark.parametrize("ownership", ["ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced"])
def test_comes_back_as_it_was_put(s3: Any, bucket: str, ownership: str) -> None:
    assert put(s3, bucket, ownership)["ResponseMetadata"]["HTTPStatusCode"] == 200
    found = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    assert found == {"Rules": [{"ObjectOwnership": ownership}]}


def test_leaves_the_buckets_other_configurations(s3: Any, bucket: str) -> None:
    s3.delete_public_access_block(Bucket=bucket)
    put(s3, bucket, "ObjectWriter")
    with refused("NoSuchPublicAccessBlockConfiguration", 404):
        s3.get_public_access_block(Bucket=bucket)


@pytest.mark.parametrize(
    "body",
    [
        b"<OwnershipControls/>",
        b"<OwnershipControls><Rule><ObjectOwnership>Nobody</ObjectOwnership></Rule></OwnershipControls>",
        b"<OwnershipControls>"
        + 2 * b"<Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule>"
        + b"</OwnershipControls>",
    ],
)
def test_anything_but_one_rule_is_malformed(raw: Raw, bucket: str, body: bytes) -> None:
    answer = raw.put(f"/{bucket}", body, {"ownershipControls": ""})
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        put(alice, bucket, "ObjectWriter")
