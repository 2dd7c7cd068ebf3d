"""An event as it is sent: AWS's structure, in the wrapping in which MinIO's consumers look for it.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import msgspec

from catalog.events import Event
from catalog.records import Bucket

# AWS's of general events, and of those that came later.
VERSION, LATER_VERSION = "2.1", "2.3"
GENERAL = ("s3:ObjectCreated:", "s3:ObjectRemoved:")
LIFECYCLE = "s3.amazonaws.com"  # as AWS names it, in the place of a user and an address
ANONYMOUS = "Anonymous"


def message(event: Event, bucket: Bucket, configuration_id: str) -> bytes:
    """`EventName` and `Key` are MinIO's: the event with its s3:, and the key as it is behind its bucket's name."""
    whole = {
        "EventName": event.name,
        "Key": f"{bucket.name}/{event.key}",
        "Records": [record(event, bucket, configuration_id)],
    }
    return msgspec.json.encode(whole)


def listened(event: Event, bucket: Bucket) -> bytes:
    """A line for MinIO's clients that listen: they look for the s3: in the record."""
    found = record(event, bucket, "")
    source = {"host": found["requestParameters"]["sourceIPAddress"], "port": "", "userAgent": ""}
    theirs = {"eventSource": "minio:s3", "eventName": event.name, "source": source}
    return msgspec.json.encode({"Records": [found | theirs]}) + b"\n"


def first_message(bucket: str, time: int, request_id: str) -> bytes:
    """What S3 sends when a configuration was put.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-content-structure.html
    """
    said = {
        "Service": "Amazon S3",
        "Event": "s3:TestEvent",
        "Time": time_text(time),
        "Bucket": bucket,
        "RequestId": request_id,
        "HostId": "",
    }
    return msgspec.json.encode(said)


def record(event: Event, bucket: Bucket, configuration_id: str) -> dict[str, Any]:
    origin = event.origin
    return {
        "eventVersion": VERSION if event.name.startswith(GENERAL) else LATER_VERSION,
        "eventSource": "aws:s3",
        "awsRegion": bucket.region,
        "eventTime": time_text(event.time),
        "eventName": event.name.removeprefix("s3:"),
        "userIdentity": {"principalId": LIFECYCLE if event.by_lifecycle else origin.requester or ANONYMOUS},
        "requestParameters": {"sourceIPAddress": LIFECYCLE if event.by_lifecycle else origin.source_ip},
        "responseElements": {"x-amz-request-id": origin.request_id, "x-amz-id-2": ""},
        "s3": {
            "s3SchemaVersion": "1.0",
            "configurationId": configuration_id,
            "bucket": {
                "name": bucket.name,
                "ownerIdentity": {"principalId": bucket.owner},
                "arn": f"arn:aws:s3:::{bucket.name}",
            },
            "object": described(event, bucket),
        },
    }


def described(event: Event, bucket: Bucket) -> dict[str, Any]:
    """A bucket without versioning has no version ids to speak of."""
    found: dict[str, Any] = {"key": quote_plus(event.key, safe="/")}
    if event.size is not None:
        found["size"] = event.size
    if event.etag is not None:
        found["eTag"] = event.etag
    if bucket.versioning:
        found["versionId"] = event.version_id
    return found | {"sequencer": f"{event.seq:016X}"}


def time_text(milliseconds: int) -> str:
    whole = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"
