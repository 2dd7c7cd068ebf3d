"""What answers say of when lifecycle rules will remove an object or an upload: nothing where a bucket has none."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from catalog.lifecycle import abortion, configuration, expiry
from catalog.records import Bucket, Upload, Version
from gateway.s3.times import http_time

LAST = 253_402_214_400_000  # milliseconds: the last midnight that a date can name
# What the header cannot carry as it is; S3 leaves the rest of an id alone.
PLAIN = "".join(chr(code) for code in range(0x20, 0x7F) if chr(code) not in '"%')


def expiration(bucket: Bucket, key: str, version: Version) -> dict[str, Any]:
    """Of a current version.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html#AmazonS3-HeadObject-response-header-Expiration
    """
    found = configuration(bucket)
    due = expiry(found, key, version.size, version.tags, version.modified) if found is not None else None
    if due is None:
        return {}
    date, rule = http_time(min(due.time, LAST)), quote(due.rule_id, safe=PLAIN)
    return {"expiration": f'expiry-date="{date}", rule-id="{rule}"'}


def abort(bucket: Bucket, upload: Upload) -> dict[str, Any]:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html"""
    found = configuration(bucket)
    due = abortion(found, upload.key, upload.initiated) if found is not None else None
    if due is None:
        return {}
    return {"abort_date": min(due.time, LAST), "abort_rule_id": quote(due.rule_id, safe=PLAIN)}
