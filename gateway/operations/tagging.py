"""Tags of objects and buckets, and the rules a tag set obeys."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from catalog.errors import IsDeleteMarker, NoObject
from catalog.records import NULL_VERSION, Bucket, Version
from gateway.operations import Context
from gateway.s3.errors import S3Error
from gateway.s3.model import operation
from gateway.s3.values import BROKEN_ESCAPE

OBJECT_TAGS = 10
BUCKET_TAGS = 50
RESERVED = "aws:"
# What S3 was seen to say of the reserved prefix depends on what is tagged.
OF_OBJECTS = f"Your TagKey cannot be prefixed with {RESERVED}"
OF_BUCKETS = "System tags cannot be added/updated by requester"
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html
TAG_KEY = re.compile(r"[\w\s+\-=.:/@]{1,128}")
TAG_VALUE = re.compile(r"[\w\s+\-=.:/@]{0,256}")

Tags = dict[str, str]


@operation
async def get_object_tagging(cx: Context, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    with no_marker(cx):
        found = cx.catalog.get(cx.here, key, version_id)
    return {"version_id": named(cx.here, found), "tag_set": tag_set(found.tags)}


@operation
async def put_object_tagging(
    cx: Context,
    bucket: str,
    key: str,
    tagging: dict[str, Any],
    version_id: str | None = None,
) -> dict[str, Any]:
    tags = read_tags(tagging.get("tag_set"), OBJECT_TAGS)
    return {"version_id": await set_tags(cx, "PutObjectTagging", key, version_id, tags)}


@operation
async def delete_object_tagging(cx: Context, bucket: str, key: str, version_id: str | None = None) -> dict[str, Any]:
    return {"version_id": await set_tags(cx, "DeleteObjectTagging", key, version_id, None)}


@operation
async def get_bucket_tagging(cx: Context, bucket: str) -> dict[str, Any]:
    if not cx.here.tags:
        raise S3Error("NoSuchTagSet", fields={"BucketName": bucket})
    return {"tag_set": tag_set(cx.here.tags)}


@operation
async def put_bucket_tagging(
    cx: Context,
    bucket: str,
    tagging: dict[str, Any],
) -> None:
    tags = read_tags(tagging.get("tag_set"), BUCKET_TAGS, OF_BUCKETS)
    await cx.catalog.update_bucket(cx.origin, bucket, lambda found: msgspec.structs.replace(found, tags=tags))


@operation
async def delete_bucket_tagging(cx: Context, bucket: str) -> None:
    await cx.catalog.update_bucket(cx.origin, bucket, lambda found: msgspec.structs.replace(found, tags=None))


@contextmanager
def no_marker(cx: Context) -> Iterator[None]:
    """A delete marker bears no tags: MethodNotAllowed for it, whether it was named or is the newest version."""
    try:
        yield
    except (IsDeleteMarker, NoObject) as missing:
        if isinstance(missing, NoObject) and missing.delete_marker is None:
            raise
        fields = {"Method": cx.request.method, "ResourceType": "DeleteMarker"}
        raise S3Error("MethodNotAllowed", fields=fields) from None


async def set_tags(cx: Context, operation: str, key: str, version_id: str | None, tags: Tags | None) -> str | None:
    def change(version: Version) -> Version:
        return msgspec.structs.replace(version, tags=tags)

    with no_marker(cx):
        changed = await cx.catalog.update_version(cx.origin_of(operation), cx.here, key, version_id, change)
    return named(cx.here, changed)


def named(bucket: Bucket, version: Version) -> str | None:
    """The version id as answers bear it: not at all in a bucket that never had versioning."""
    return version.version_id or NULL_VERSION if bucket.versioning else None


def tag_set(tags: Tags | None) -> list[Tags]:
    return [{"key": key, "value": value} for key, value in (tags or {}).items()]


def read_tags(given: list[Tags] | None, limit: int, reserved: str = OF_OBJECTS) -> Tags | None:
    """The tag set of a request as a dict, None when empty; InvalidTag and its like for what S3 does not take."""
    tags: Tags = {}
    for tag in given or []:
        key, value = tag["key"], tag["value"]
        if key in tags:
            raise S3Error("InvalidTag", "Cannot provide multiple Tags with the same key", fields={"TagKey": key})
        check_tag(key, value, reserved)
        tags[key] = value
    if len(tags) > limit:
        raise too_many(limit)
    return tags or None


def tags_of_header(header: str | None) -> Tags | None:
    """The tag set of an x-amz-tagging header: URL query parameters, no name twice, a comma only encoded.

    AWS gives these back in no order; here it is that of the keys.
    """
    if not header or not header.strip("&"):
        return None
    try:
        if "," in header or BROKEN_ESCAPE.search(header):
            raise ValueError(header)
        pairs = sorted(parse_qsl(header, keep_blank_values=True, errors="strict"))
    except ValueError:
        pairs = []
    if not pairs or len(dict(pairs)) != len(pairs) or ("", "") in pairs:
        raise S3Error(
            "InvalidArgument",
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters"
            " without tag name duplicates.",
            fields={"ArgumentName": "x-amz-tagging", "ArgumentValue": header},
        )
    return read_tags([{"key": key, "value": value} for key, value in pairs], OBJECT_TAGS)


def check_tag(key: str, value: str, reserved: str = OF_OBJECTS) -> None:
    if not TAG_KEY.fullmatch(key):
        raise S3Error("InvalidTag", "The TagKey you have provided is invalid", fields={"TagKey": key})
    if key.startswith(RESERVED):
        raise S3Error("InvalidTag", reserved, fields={"TagKey": key})
    if not TAG_VALUE.fullmatch(value):
        fields = {"TagKey": key, "TagValue": value}
        raise S3Error("InvalidTag", "The TagValue you have provided is invalid", fields=fields)


def too_many(limit: int) -> S3Error:
    if limit == OBJECT_TAGS:
        return S3Error("BadRequest", f"Object tags cannot be greater than {limit}")
    return S3Error("BadRequest", f"Bucket tag count cannot be greater than {limit}")
