from __future__ import annotations

from typing import Any

from conformance.raw import Raw
from conformance.refusals import refused

BLOCKS = ["BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"]


def test_everything_is_blocked_by_default(s3: Any, bucket: str) -> None:
    found = s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"]
    assert found == dict.fromkeys(BLOCKS, True)


def test_body_is_the_element_aws_sends(raw: Raw, bucket: str) -> None:
    answer = raw.get(f"/{bucket}", {"publicAccessBlock": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}PublicAccessBlockConfiguration"
    assert [answer.text(block) for block in BLOCKS] == ["true"] * 4


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.get_public_access_block(Bucket="there-is-no-such-bucket")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.get_public_access_block(Bucket=bucket)
