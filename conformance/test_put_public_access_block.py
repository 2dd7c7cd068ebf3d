from __future__ import annotations

from typing import Any

import pytest

from conformance.refusals import refused

BLOCKS = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]


@pytest.mark.parametrize("on", [[], BLOCKS[:1], BLOCKS[1:3], BLOCKS])
def test_comes_back_as_it_was_put(s3: Any, bucket: str, on: list[str]) -> None:
    wanted = {block: block in on for block in BLOCKS}
    answer = s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=wanted)
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == wanted


def test_what_is_left_out_is_off(s3: Any, bucket: str) -> None:
    s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})
    found = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert [block for block in BLOCKS if found[block]] == ["BlockPublicPolicy"]


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration={})
