"""Whose a bucket is, as a request expects it to be.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html
"""

from __future__ import annotations

import re

from catalog.records import Bucket
from gateway.access.keys import ACCOUNT
from gateway.s3.errors import S3Error

_EITHER = re.compile("[0-9]{12}|[0-9a-f]{64}").fullmatch


def check_owner(bucket: Bucket, expected: str) -> None:
    """The account that ARNs name is every owner's; unlike AWS, the owner's canonical id is taken as well."""
    if expected in (ACCOUNT, bucket.owner):
        return
    if not _EITHER(expected):
        message = f"The value of the expected bucket owner parameter must be an AWS Account ID... [{expected}]"
        raise S3Error("InvalidBucketOwnerAWSAccountID", message)
    raise S3Error("AccessDenied")
