"""The lock that an object is given with its bytes: by headers, fields of a form, or the default of its bucket."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conformance.content import MIB, content_md5
from conformance.locks import COMPLIANCE, GOVERNANCE, by_default, in_days, protected
from conformance.multipart import Upload
from conformance.raw import Answer, Raw
from conformance.refusals import refused
from conformance.server import Server
from conformance.test_post_object import form_of, prepared, send

MODE, UNTIL, HOLD = "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold"
WITHOUT = "Content-MD5 OR x-amz-checksum- HTTP header is required for {} requests with Object Lock parameters"
NAMES = ("ObjectLockMode", "ObjectLockRetainUntilDate", "ObjectLockLegalHoldStatus")
Write = Callable[..., Any]


def write_whole(s3: Any, bucket: str, **lock: Any) -> Any:
    return s3.put_object(Bucket=bucket, Key="key", Body=b"body", **lock)


def write_large(s3: Any, bucket: str, **lock: Any) -> Any:
    return s3.put_object(Bucket=bucket, Key="key", Body=bytes(MIB), **lock)


def write_copy(s3: Any, bucket: str, **lock: Any) -> Any:
    s3.put_object(Bucket=bucket, Key="source", Body=b"body")
    return s3.copy_object(Bucket=bucket, Key="key", CopySource={"Bucket": bucket, "Key": "source"}, **lock)


def write_parts(s3: Any, bucket: str, **lock: Any) -> Any:
    return Upload.begin(s3, bucket, **lock).put(b"body", ChecksumAlgorithm="CRC32").complete()


WRITES = pytest.mark.parametrize("write", [write_whole, write_large, write_copy, write_parts])


def lock_of(s3: Any, bucket: str, key: str = "key") -> tuple[Any, ...]:
    head = s3.head_object(Bucket=bucket, Key=key)
    got = s3.get_object(Bucket=bucket, Key=key)
    found = tuple(head.get(name) for name in NAMES)
    assert found == tuple(got.get(name) for name in NAMES)
    return found


@WRITES
def test_all_of_it(s3: Any, locked: str, write: Write) -> None:
    until = in_days(1)
    made = write(s3, locked, ObjectLockMode=COMPLIANCE, ObjectLockRetainUntilDate=until, ObjectLockLegalHoldStatus="ON")
    assert lock_of(s3, locked) == (COMPLIANCE, until, "ON")
    with protected():
        s3.delete_object(Bucket=locked, Key="key", VersionId=made["VersionId"], BypassGovernanceRetention=True)


@WRITES
def test_hold_alone(s3: Any, locked: str, write: Write) -> None:
    write(s3, locked, ObjectLockLegalHoldStatus="ON")
    assert lock_of(s3, locked) == (None, None, "ON")


@WRITES
def test_none(s3: Any, locked: str, write: Write) -> None:
    write(s3, locked)
    assert lock_of(s3, locked) == (None, None, None)


@WRITES
@pytest.mark.parametrize("period", [{"Days": 2}, {"Years": 1}])
def test_default_of_the_bucket(s3: Any, locked: str, write: Write, period: dict[str, int]) -> None:
    by_default(s3, locked, GOVERNANCE, **period)
    made = write(s3, locked)
    mode, until, held = lock_of(s3, locked)
    assert (mode, held) == (GOVERNANCE, None)
    written = s3.head_object(Bucket=locked, Key="key")["LastModified"]
    if "Days" in period:
        assert timedelta(0) <= until - written - timedelta(days=2) < timedelta(seconds=1)
    else:
        assert (until.year, until.month) == (written.year + 1, written.month)
    with protected():
        s3.delete_object(Bucket=locked, Key="key", VersionId=made["VersionId"])


@WRITES
def test_what_is_asked_for_goes_before_the_default(s3: Any, locked: str, write: Write) -> None:
    by_default(s3, locked, COMPLIANCE, Years=1)
    until = in_days(1)
    write(s3, locked, ObjectLockMode=GOVERNANCE, ObjectLockRetainUntilDate=until)
    assert lock_of(s3, locked) == (GOVERNANCE, until, None)


@WRITES
def test_hold_beside_the_default(s3: Any, locked: str, write: Write) -> None:
    by_default(s3, locked, GOVERNANCE, Days=1)
    write(s3, locked, ObjectLockLegalHoldStatus="OFF")
    mode, _, held = lock_of(s3, locked)
    assert (mode, held) == (GOVERNANCE, "OFF")


def test_default_that_counts_is_that_of_the_completion(s3: Any, locked: str) -> None:
    by_default(s3, locked, GOVERNANCE, Years=1)
    upload = Upload.begin(s3, locked).put(b"body", ChecksumAlgorithm="CRC32")
    by_default(s3, locked, COMPLIANCE, Days=1)
    upload.complete()
    mode, until, _ = lock_of(s3, locked)
    assert mode == COMPLIANCE
    assert until < in_days(1.1)


def test_new_default_leaves_what_is_there(s3: Any, locked: str) -> None:
    s3.put_object(Bucket=locked, Key="key")
    by_default(s3, locked, COMPLIANCE, Days=1)
    assert lock_of(s3, locked) == (None, None, None)


def test_copy_has_nothing_of_its_sources_lock(s3: Any, locked: str) -> None:
    s3.put_object(
        Bucket=locked,
        Key="source",
        ObjectLockMode=COMPLIANCE,
        ObjectLockRetainUntilDate=in_days(1),
        ObjectLockLegalHoldStatus="ON",
    )
    s3.copy_object(Bucket=locked, Key="key", CopySource={"Bucket": locked, "Key": "source"})
    assert lock_of(s3, locked) == (None, None, None)


def test_overwriting_makes_a_version_beside_the_locked_one(s3: Any, locked: str) -> None:
    kept = s3.put_object(Bucket=locked, Key="key", Body=b"kept", ObjectLockLegalHoldStatus="ON")["VersionId"]
    s3.put_object(Bucket=locked, Key="key", Body=b"new")
    assert lock_of(s3, locked) == (None, None, None)
    assert s3.get_object(Bucket=locked, Key="key", VersionId=kept)["Body"].read() == b"kept"


def test_headers_as_they_are_written(s3: Any, raw: Raw, locked: str) -> None:
    headers = {MODE: GOVERNANCE, UNTIL: "2140-01-01T01:00:00.5+01:00", HOLD: "ON", "Content-MD5": content_md5(b"body")}
    assert raw.put(f"/{locked}/key", b"body", headers=headers).status == 200
    for answer in (raw.head(f"/{locked}/key"), raw.get(f"/{locked}/key")):
        assert answer.header(UNTIL) == "2140-01-01T00:00:00.500Z"
        assert (answer.header(MODE), answer.header(HOLD)) == (GOVERNANCE, "ON")


def test_form(s3: Any, raw: Raw, locked: str) -> None:
    fields = {MODE: GOVERNANCE, UNTIL: "2140-01-01T00:00:00Z", HOLD: "ON"}
    answer = send(raw, locked, form_of(prepared(s3, locked, "key", fields), b"body"))
    assert (answer.status, answer.text("Message")) == (400, WITHOUT.format("Put Object"))
    fields["Content-MD5"] = content_md5(b"body")
    assert send(raw, locked, form_of(prepared(s3, locked, "key", fields), b"body")).status == 204
    assert lock_of(s3, locked) == (GOVERNANCE, datetime(2140, 1, 1, tzinfo=UTC), "ON")


def every_write(raw: Raw, bucket: str, headers: dict[str, str]) -> list[Answer]:
    raw.put(f"/{bucket}/source", b"body", headers={"Content-MD5": content_md5(b"body")})
    return [
        raw.put(f"/{bucket}/key", b"body", headers=headers | {"Content-MD5": content_md5(b"body")}),
        raw.put(f"/{bucket}/key", headers=headers | {"x-amz-copy-source": f"{bucket}/source"}),
        raw.post(f"/{bucket}/key", query={"uploads": ""}, headers=headers),
    ]


@pytest.mark.parametrize(
    "headers, message, name, value",
    [
        ({MODE: GOVERNANCE}, f"{UNTIL} and {MODE} must both be supplied", UNTIL, None),
        ({UNTIL: "2140-01-01T00:00:00Z"}, f"{UNTIL} and {MODE} must both be supplied", MODE, None),
        ({MODE: "governance", UNTIL: "2140-01-01T00:00:00Z"}, "Unknown wormMode directive.", MODE, "governance"),
        (
            {MODE: GOVERNANCE, UNTIL: "2020-01-01T00:00:00Z"},
            "The retain until date must be in the future!",
            UNTIL,
            "2020-01-01T00:00:00Z",
        ),
        (
            {MODE: GOVERNANCE, UNTIL: "tomorrow"},
            "The retain until date must be provided in ISO 8601 format",
            UNTIL,
            "tomorrow",
        ),
        (
            {MODE: GOVERNANCE, UNTIL: "9999-12-31T23:59:59-10:00"},
            "The retain until date must be provided in ISO 8601 format",
            UNTIL,
            "9999-12-31T23:59:59-10:00",
        ),
        ({UNTIL: "1970-01-01T00:00:00Z"}, f"{UNTIL} and {MODE} must both be supplied", MODE, None),
        ({HOLD: "on"}, "Legal Hold must be either of 'ON' or 'OFF'", HOLD, "on"),
    ],
)
def test_headers_that_mean_nothing(
    raw: Raw, locked: str, headers: dict[str, str], message: str, name: str, value: str | None
) -> None:
    for answer in every_write(raw, locked, headers):
        assert (answer.status, answer.code, answer.text("Message")) == (400, "InvalidArgument", message)
        assert (answer.text("ArgumentName"), answer.text("ArgumentValue")) == (name, value)
    assert raw.head(f"/{locked}/key").status == 404


def test_headers_are_looked_at_before_the_bucket(raw: Raw, bucket: str) -> None:
    for headers in ({MODE: GOVERNANCE}, {MODE: GOVERNANCE, UNTIL: "2020-01-01T00:00:00Z"}):
        for answer in every_write(raw, bucket, headers):
            assert (answer.status, answer.code) == (400, "InvalidArgument")


@pytest.mark.parametrize("headers", [{HOLD: "ON"}, {MODE: GOVERNANCE, UNTIL: "2140-01-01T00:00:00Z"}, {}])
def test_bytes_come_with_a_digest(s3: Any, raw: Raw, locked: str, headers: dict[str, str]) -> None:
    # As AWS was recorded to answer, with a default retention too: https://github.com/versity/versitygw/issues/1740
    if not headers:
        by_default(s3, locked, GOVERNANCE, Days=1)
    answer = raw.put(f"/{locked}/key", b"body", headers=headers)
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    assert answer.text("Message") == WITHOUT.format("Put Object")
    upload = raw.post(f"/{locked}/key", query={"uploads": ""}, headers=headers).text("UploadId") or ""
    part = raw.put(f"/{locked}/key", b"body", {"partNumber": "1", "uploadId": upload})
    assert (part.status, part.text("Message")) == (400, WITHOUT.format("Put Part"))
    digest = {"Content-MD5": content_md5(b"body")}
    assert raw.put(f"/{locked}/key", b"body", {"partNumber": "1", "uploadId": upload}, digest).status == 200
    assert raw.put(f"/{locked}/key", b"body", headers=headers | digest).status == 200
    trailer = raw.chunked(f"/{locked}/key", [b"123456789"], {"x-amz-checksum-crc32": "y/Q5Jg=="}, headers=headers)
    assert raw.send(trailer).status == 200


def test_bytes_that_will_not_be_locked_need_none(raw: Raw, locked: str) -> None:
    assert raw.put(f"/{locked}/key", b"body").status == 200


def test_who_may_not(alice: Any, server: Server, locked: str) -> None:
    with refused("AccessDenied", 403):
        write_whole(alice, locked, ObjectLockLegalHoldStatus="ON")
