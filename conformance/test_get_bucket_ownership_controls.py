from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.raw import Raw
from conformance.refusals import refused

NewName = Callable[[str], str]


def test_acls_are_off_by_default(s3: Any, bucket: str) -> None:
    found = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]
    assert found == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}


def test_what_the_bucket_was_made_with(s3: Any, new_name: NewName) -> None:
    name = new_name("owned")
    s3.create_bucket(Bucket=name, ObjectOwnership="ObjectWriter")
    found = s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]
    assert found == {"Rules": [{"ObjectOwnership": "ObjectWriter"}]}


def test_body_is_the_element_aws_sends(raw: Raw, bucket: str) -> None:
    answer = raw.get(f"/{bucket}", {"ownershipControls": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}OwnershipControls"
    assert answer.text("Rule/ObjectOwnership") == "BucketOwnerEnforced"


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.get_bucket_ownership_controls(Bucket="there-is-no-such-bucket")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.get_bucket_ownership_controls(Bucket=bucket)
