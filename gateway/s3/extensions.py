"""Operations that S3 does not have and clients of other servers ask for, in the form of botocore's model."""

from __future__ import annotations

from typing import Any

# MinIO's, of which its clients make use: events of a bucket for as long as somebody listens.
# https://min.io/docs/minio/linux/developers/python/API.html#listen-bucket-notification
OPERATIONS: dict[str, Any] = {
    "ListenBucketNotification": {
        "name": "ListenBucketNotification",
        "http": {"method": "GET", "requestUri": "/{Bucket}?events"},
        "input": {"shape": "ListenBucketNotificationRequest"},
        "output": {"shape": "ListenBucketNotificationOutput"},
    }
}
SHAPES: dict[str, Any] = {
    "ListenBucketNotificationRequest": {
        "type": "structure",
        "required": ["Bucket"],
        "members": {
            "Bucket": {"shape": "BucketName", "location": "uri", "locationName": "Bucket"},
            "Prefix": {"shape": "Prefix", "location": "querystring", "locationName": "prefix"},
            "Suffix": {"shape": "Prefix", "location": "querystring", "locationName": "suffix"},
            "Ping": {"shape": "Prefix", "location": "querystring", "locationName": "ping"},
        },
    },
    "ListenBucketNotificationOutput": {
        "type": "structure",
        "payload": "Body",
        "members": {
            "Body": {"shape": "Body", "streaming": True},
            "ContentType": {"shape": "ContentType", "location": "header", "locationName": "Content-Type"},
        },
    },
}


def extended(description: dict[str, Any]) -> dict[str, Any]:
    """S3's model with these operations, too."""
    operations, shapes = description["operations"] | OPERATIONS, description["shapes"] | SHAPES
    return description | {"operations": operations, "shapes": shapes}
