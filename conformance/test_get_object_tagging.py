from __future__ import annotations

from typing import Any

from conformance.raw import Raw
from conformance.refusals import refused


def test_object_without_tags_has_an_empty_set(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == []
    answer = raw.get(f"/{bucket}/key", {"tagging": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}Tagging"
    assert answer.text("TagSet") == ""


def test_tags_outside_ascii(s3: Any, bucket: str) -> None:
    tags = [{"Key": "größe", "Value": "søt 日本"}]
    s3.put_object(Bucket=bucket, Key="key")
    s3.put_object_tagging(Bucket=bucket, Key="key", Tagging={"TagSet": tags})
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == tags


def test_names_the_version(s3: Any, versioned: str) -> None:
    version = s3.put_object(Bucket=versioned, Key="key", Tagging="a=b")["VersionId"]
    assert s3.get_object_tagging(Bucket=versioned, Key="key")["VersionId"] == version


def test_delete_marker_has_no_tags(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key")
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    with refused("MethodNotAllowed", 405):
        s3.get_object_tagging(Bucket=versioned, Key="key")
    with refused("MethodNotAllowed", 405):
        s3.get_object_tagging(Bucket=versioned, Key="key", VersionId=marker)


def test_key_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchKey", 404):
        s3.get_object_tagging(Bucket=bucket, Key="none")


def test_object_of_another_is_forbidden(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    with refused("AccessDenied", 403):
        alice.get_object_tagging(Bucket=bucket, Key="key")
