from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.conftest import ALICE_ID
from conformance.raw import Raw
from conformance.refusals import refused

NewName = Callable[[str], str]

XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def test_the_owner_has_full_control(alice: Any, new_name: NewName) -> None:
    name = new_name("hers")
    alice.create_bucket(Bucket=name)
    found = alice.get_bucket_acl(Bucket=name)
    assert found["Owner"] == {"ID": ALICE_ID}
    assert found["Grants"] == [
        {"Grantee": {"ID": ALICE_ID, "Type": "CanonicalUser"}, "Permission": "FULL_CONTROL"},
    ]


def test_body_is_the_element_aws_sends(raw: Raw, bucket: str) -> None:
    answer = raw.get(f"/{bucket}", {"acl": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}AccessControlPolicy"
    grantee = answer.root.find(".//{*}AccessControlList/{*}Grant/{*}Grantee")
    assert grantee is not None
    assert grantee.get(XSI_TYPE) == "CanonicalUser"
    assert answer.text("AccessControlList/Grant/Grantee/ID") == answer.text("Owner/ID")


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.get_bucket_acl(Bucket="there-is-no-such-bucket")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.get_bucket_acl(Bucket=bucket)
