from __future__ import annotations

import pytest

from catalog.records import Bucket
from gateway.access.owners import check_owner
from gateway.s3.errors import S3Error

OWNER = "a" * 64
BUCKET = Bucket(1, "b", OWNER, 0, "us-east-1")


@pytest.mark.parametrize("expected", [OWNER, "000000000000"])
def test_the_owner(expected: str) -> None:
    check_owner(BUCKET, expected)


@pytest.mark.parametrize(
    ("expected", "code"),
    [
        ("b" * 64, "AccessDenied"),
        ("111122223333", "AccessDenied"),
        ("11112222333", "InvalidBucketOwnerAWSAccountID"),
        ("A" * 64, "InvalidBucketOwnerAWSAccountID"),
        ("", "InvalidBucketOwnerAWSAccountID"),
        ("00000000000\u0660", "InvalidBucketOwnerAWSAccountID"),
    ],
)
def test_another(expected: str, code: str) -> None:
    with pytest.raises(S3Error) as refused:
        check_owner(BUCKET, expected)
    assert refused.value.code == code
