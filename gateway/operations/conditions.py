"""The conditions a request may set on what is there: read on GET and HEAD, checked under the lock on writes.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-requests.html and RFC 9110, section 13
"""

from __future__ import annotations

import time
from collections.abc import Callable

from catalog.errors import NoObject, PreconditionFailed
from catalog.records import Version
from gateway.s3.errors import S3Error

Check = Callable[[Version | None], None]
ANY = "*"


def is_modified(
    version: Version,
    if_match: str | None,
    if_none_match: str | None,
    if_modified_since: int | None,
    if_unmodified_since: int | None,
    prefix: str = "",
) -> bool:
    """False if the caller has it already (304); raises PreconditionFailed. In RFC 9110's order, ETags before times."""
    if if_match is not None:
        if not _names(if_match, version.etag):
            raise PreconditionFailed(f"{prefix}If-Match")
    elif if_unmodified_since is not None and _seconds(version) > if_unmodified_since // 1000:
        raise PreconditionFailed(f"{prefix}If-Unmodified-Since")
    if if_none_match is not None:
        return not _names(if_none_match, version.etag)
    if if_modified_since is None:
        return True
    since = if_modified_since // 1000
    return _seconds(version) > since or since > time.time()  # a time to come is no condition: RFC 9110, 13.1.3


def on_write(bucket: str, key: str, if_match: str | None, if_none_match: str | None) -> Check | None:
    """Either condition takes an ETag or `*`; AWS itself takes an ETag for If-Match and `*` for If-None-Match only.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
    """
    if if_match is None and if_none_match is None:
        return None
    if if_match is not None and if_none_match is not None:
        message = "Multiple conditional request headers present in the request"
        raise S3Error("NotImplemented", fields={"Header": "If-Match,If-None-Match", "additionalMessage": message})

    def check(current: Version | None) -> None:
        if if_none_match is not None:
            if current is not None and _names(if_none_match, current.etag):
                raise PreconditionFailed("If-None-Match")
        elif current is None:
            raise NoObject(bucket, key)
        elif if_match is not None and not _names(if_match, current.etag):
            raise PreconditionFailed("If-Match")

    return check


def on_completion(bucket: str, key: str, if_match: str | None, if_none_match: str | None, begun: int) -> Check | None:
    """As `on_write`; what came since the upload was begun (in ms) is in its way, even if it has the ETag.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    """
    holds = on_write(bucket, key, if_match, if_none_match)
    if holds is None or if_match is None:
        return holds

    def check(current: Version | None) -> None:
        holds(current)
        if current is not None and current.modified > begun:
            raise S3Error("ConditionalRequestConflict", fields={"Condition": "If-Match", "Key": key})

    return check


def on_delete(
    bucket: str,
    key: str,
    if_match: str | None,
    last_modified: int | None = None,
    size: int | None = None,
) -> Check | None:
    """That nothing is there fails an If-Match only; time and size are as with directory buckets.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html
    """
    if if_match is None and last_modified is None and size is None:
        return None

    def check(current: Version | None) -> None:
        if current is None:
            if if_match == ANY:
                raise PreconditionFailed("If-Match")
            if if_match is not None:
                raise NoObject(bucket, key)
            return
        if if_match is not None and not _names(if_match, current.etag):
            raise PreconditionFailed("If-Match")
        if last_modified is not None and _seconds(current) != last_modified // 1000:
            raise PreconditionFailed("If-Match-Last-Modified-Time")
        if size is not None and current.size != size:
            raise PreconditionFailed("If-Match-Size")

    return check


def _names(condition: str, etag: str) -> bool:
    """ETags count as equal with and without their quotes."""
    if condition == ANY or condition.strip('"') == etag:
        return True
    return "," in condition and any(each.strip(' \t"') == etag for each in condition.split(","))


def _seconds(version: Version) -> int:
    """HTTP's dates have whole seconds; so must what they are compared with."""
    return version.modified // 1000
