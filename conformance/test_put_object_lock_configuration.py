from __future__ import annotations

from typing import Any

import pytest

from conformance.content import content_md5
from conformance.locks import COMPLIANCE, GOVERNANCE, by_default
from conformance.raw import Answer, Raw
from conformance.refusals import refused

ENABLED = "<ObjectLockEnabled>Enabled</ObjectLockEnabled>"


def put(raw: Raw, bucket: str, content: str) -> Answer:
    document = f"<ObjectLockConfiguration>{content}</ObjectLockConfiguration>".encode()
    return raw.put_document(f"/{bucket}", document, {"object-lock": ""})


def rule(content: str) -> str:
    return f"{ENABLED}<Rule><DefaultRetention>{content}</DefaultRetention></Rule>"


def configuration(s3: Any, bucket: str) -> Any:
    return s3.get_object_lock_configuration(Bucket=bucket)["ObjectLockConfiguration"]


def test_bucket_that_was_there_before(s3: Any, versioned: str) -> None:
    kept = s3.put_object(Bucket=versioned, Key="key", Body=b"of before")["VersionId"]
    by_default(s3, versioned, Days=1)
    assert configuration(s3, versioned)["Rule"] == {"DefaultRetention": {"Mode": "GOVERNANCE", "Days": 1}}
    s3.delete_object(Bucket=versioned, Key="key", VersionId=kept)
    with refused("InvalidBucketState", 409):
        s3.put_bucket_versioning(Bucket=versioned, VersioningConfiguration={"Status": "Suspended"})


@pytest.mark.parametrize("state", ["", "Suspended"])
def test_bucket_that_keeps_no_versions(s3: Any, bucket: str, state: str) -> None:
    if state:
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": state})
    with refused("InvalidBucketState", 409) as error:
        by_default(s3, bucket, Days=1)
    assert error["Message"] == "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
    with refused("ObjectLockConfigurationNotFoundError", 404):
        configuration(s3, bucket)


def test_default_is_replaced_and_taken_away_and_the_lock_stays(s3: Any, locked: str) -> None:
    by_default(s3, locked, GOVERNANCE, Days=36_500)
    by_default(s3, locked, COMPLIANCE, Years=100)
    assert configuration(s3, locked)["Rule"] == {"DefaultRetention": {"Mode": "COMPLIANCE", "Years": 100}}
    s3.put_object_lock_configuration(Bucket=locked, ObjectLockConfiguration={"ObjectLockEnabled": "Enabled"})
    assert configuration(s3, locked) == {"ObjectLockEnabled": "Enabled"}
    assert "ObjectLockMode" not in (
        s3.put_object(Bucket=locked, Key="key") and s3.head_object(Bucket=locked, Key="key")
    )


def test_token_is_taken_and_not_needed(raw: Raw, versioned: str) -> None:
    document = f"<ObjectLockConfiguration>{ENABLED}</ObjectLockConfiguration>".encode()
    headers = {"Content-MD5": content_md5(document), "x-amz-bucket-object-lock-token": "of support"}
    assert raw.put(f"/{versioned}", document, {"object-lock": ""}, headers).status == 200
    assert raw.get(f"/{versioned}", {"object-lock": ""}).status == 200


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<ObjectLockEnabled>Disabled</ObjectLockEnabled>",
        "<ObjectLockEnabled>enabled</ObjectLockEnabled>",
        "<Rule><DefaultRetention><Mode>GOVERNANCE</Mode><Days>1</Days></DefaultRetention></Rule>",
        f"{ENABLED}<Rule/>",
        rule(""),
        rule("<Mode>GOVERNANCE</Mode>"),
        rule("<Days>1</Days>"),
        rule("<Mode>GOVERNANCE</Mode><Days>1</Days><Years>1</Years>"),
        rule("<Mode>governance</Mode><Days>1</Days>"),
        rule("<Mode>GOVERNANCE</Mode><Days>1.5</Days>"),
        rule("<Mode>GOVERNANCE</Mode><Days>1</Days><Days>2</Days>"),
        rule("<Mode>GOVERNANCE</Mode><Days></Days>"),
        rule("<Mode>GOVERNANCE</Mode><Years>one</Years>"),
    ],
)
def test_document_that_is_malformed(raw: Raw, s3: Any, locked: str, content: str) -> None:
    answer = put(raw, locked, content)
    assert (answer.status, answer.code) == (400, "MalformedXML")
    assert configuration(s3, locked) == {"ObjectLockEnabled": "Enabled"}


@pytest.mark.parametrize(
    "name, value, message",
    [
        ("Days", "0", "Default retention period must be a positive integer value."),
        ("Days", "-3", "Default retention period must be a positive integer value."),
        ("Years", "0", "Default retention period must be a positive integer value."),
        ("Days", "36501", "Default retention period too large."),
        ("Years", "101", "Default retention period too large."),
        ("Years", "999999999999", "Default retention period too large."),
    ],
)
def test_period_that_is_none(raw: Raw, locked: str, name: str, value: str, message: str) -> None:
    # As AWS was recorded to answer: https://github.com/versity/versitygw/issues/1738
    answer = put(raw, locked, rule(f"<Mode>GOVERNANCE</Mode><{name}>{value}</{name}>"))
    assert (answer.status, answer.code) == (400, "InvalidArgument")
    assert (answer.text("Message"), answer.text("ArgumentName")) == (message, name)


def test_no_document_at_all(raw: Raw, locked: str) -> None:
    answer = raw.put_document(f"/{locked}", b"", {"object-lock": ""})
    assert (answer.status, answer.code) == (400, "MissingRequestBodyError")


def test_document_without_a_digest(raw: Raw, locked: str) -> None:
    document = f"<ObjectLockConfiguration>{ENABLED}</ObjectLockConfiguration>".encode()
    answer = raw.put(f"/{locked}", document, {"object-lock": ""})
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_who_may_not(alice: Any, s3: Any, locked: str) -> None:
    with refused("AccessDenied", 403):
        by_default(alice, locked, Days=1)
    with refused("NoSuchBucket", 404):
        by_default(s3, "there-is-no-such-bucket", Days=1)
