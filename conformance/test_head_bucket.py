from __future__ import annotations

from typing import Any

from conformance.raw import Raw
from conformance.refusals import refused


def test_names_the_region(s3: Any, bucket: str) -> None:
    answer = s3.head_bucket(Bucket=bucket)
    assert answer["BucketRegion"] == "us-east-1"


def test_region_is_a_header_and_body_is_empty(raw: Raw, bucket: str) -> None:
    answer = raw.head(f"/{bucket}")
    assert (answer.status, answer.header("x-amz-bucket-region"), answer.body) == (200, "us-east-1", b"")


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused(404):
        s3.head_bucket(Bucket="there-is-no-such-bucket")


def test_refusal_has_no_body(raw: Raw) -> None:
    with raw.connect() as connection:
        assert connection.exchange(raw.prepare("HEAD", "/there-is-no-such-bucket")).status == 404
        # A body would stand in front of the next answer on the connection.
        assert connection.exchange(raw.prepare("GET", "/")).status == 200


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused(403):
        alice.head_bucket(Bucket=bucket)


def test_root_reaches_bucket_of_another(s3: Any, alice: Any, new_name: Any) -> None:
    hers = new_name("alice")
    alice.create_bucket(Bucket=hers)
    s3.head_bucket(Bucket=hers)


def test_expected_owner_must_be_the_owner(s3: Any, bucket: str) -> None:
    with refused(403):
        s3.head_bucket(Bucket=bucket, ExpectedBucketOwner="111122223333")


def test_anonymous_is_forbidden(raw: Raw, bucket: str) -> None:
    answer = raw.send(raw.plain("HEAD", f"/{bucket}"))
    assert (answer.status, answer.body) == (403, b"")
