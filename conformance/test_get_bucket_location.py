from __future__ import annotations

from typing import Any

from conformance.raw import Raw
from conformance.refusals import refused


def test_us_east_1_has_no_constraint(s3: Any, bucket: str) -> None:
    assert s3.get_bucket_location(Bucket=bucket)["LocationConstraint"] is None


def test_body_is_the_bare_element(raw: Raw, bucket: str) -> None:
    answer = raw.get(f"/{bucket}", {"location": ""})
    assert answer.status == 200
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}LocationConstraint"
    assert not answer.root.text
    assert len(answer.root) == 0


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.get_bucket_location(Bucket="there-is-no-such-bucket")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.get_bucket_location(Bucket=bucket)
