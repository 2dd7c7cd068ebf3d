from __future__ import annotations

from typing import Any

from conformance.raw import Raw
from conformance.refusals import refused


def test_the_buckets_owner_has_full_control(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    found, of_bucket = s3.get_object_acl(Bucket=bucket, Key="key"), s3.get_bucket_acl(Bucket=bucket)
    assert (found["Owner"], found["Grants"]) == (of_bucket["Owner"], of_bucket["Grants"])


def test_a_version_by_its_id(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    version = s3.put_object(Bucket=bucket, Key="key")["VersionId"]
    marker = s3.delete_object(Bucket=bucket, Key="key")["VersionId"]
    assert s3.get_object_acl(Bucket=bucket, Key="key", VersionId=version)["Grants"]
    with refused("MethodNotAllowed", 405):
        s3.get_object_acl(Bucket=bucket, Key="key", VersionId=marker)
    with refused("NoSuchKey", 404):
        s3.get_object_acl(Bucket=bucket, Key="key")


def test_body_is_the_element_aws_sends(s3: Any, raw: Raw, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    answer = raw.get(f"/{bucket}/key", {"acl": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}AccessControlPolicy"
    assert answer.text("AccessControlList/Grant/Permission") == "FULL_CONTROL"


def test_key_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.get_object_acl(Bucket=bucket, Key="no-such-key")


def test_bucket_of_another_is_forbidden(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    with refused("AccessDenied", 403):
        alice.get_object_acl(Bucket=bucket, Key="key")
