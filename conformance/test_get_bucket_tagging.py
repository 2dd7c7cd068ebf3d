from __future__ import annotations

from typing import Any

from conformance.raw import Raw
from conformance.refusals import refused


def test_tags_come_back_as_they_were_put(s3: Any, bucket: str) -> None:
    tags = [{"Key": "zeta", "Value": "1"}, {"Key": "alpha", "Value": "ünï + = . _ : / @ -"}]
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": tags})
    found = s3.get_bucket_tagging(Bucket=bucket)["TagSet"]
    assert sorted(found, key=str) == sorted(tags, key=str)


def test_bucket_without_tags(s3: Any, bucket: str) -> None:
    with refused("NoSuchTagSet", 404) as error:
        s3.get_bucket_tagging(Bucket=bucket)
    assert error["BucketName"] == bucket


def test_body_is_the_element_aws_sends(s3: Any, raw: Raw, bucket: str) -> None:
    s3.put_bucket_tagging(Bucket=bucket, Tagging={"TagSet": [{"Key": "a", "Value": ""}]})
    answer = raw.get(f"/{bucket}", {"tagging": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}Tagging"
    assert (answer.text("TagSet/Tag/Key"), answer.text("TagSet/Tag/Value")) == ("a", "")


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.get_bucket_tagging(Bucket="there-is-no-such-bucket")


def test_bucket_of_another_is_forbidden(alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.get_bucket_tagging(Bucket=bucket)
