from __future__ import annotations

from typing import Any

from conformance.raw import Raw
from conformance.unconfigured import check_none

DOCUMENT = (
    "<LifecycleConfiguration xmlns='http://s3.amazonaws.com/doc/2006-03-01/'><Rule><Status>Enabled</Status><ID>a</ID>"
    "<Filter/><Expiration><Date>2030-01-01</Date></Expiration></Rule></LifecycleConfiguration>"
)


def test_bucket_has_none(s3: Any, alice: Any, bucket: str) -> None:
    check_none(s3, alice, bucket, "get_bucket_lifecycle_configuration", "NoSuchLifecycleConfiguration")


def test_a_rule_as_it_is_written(raw: Raw, bucket: str) -> None:
    raw.put_document(f"/{bucket}", DOCUMENT.encode(), {"lifecycle": ""})
    answer = raw.get(f"/{bucket}", {"lifecycle": ""})
    assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}LifecycleConfiguration"
    assert answer.text("Rule/ID") == "a"
    assert answer.text("Rule/Filter") == ""
    assert answer.text("Rule/Status") == "Enabled"
    assert answer.text("Rule/Expiration/Date") == "2030-01-01T00:00:00.000Z"
    assert answer.text("Rule/Prefix") is None
    assert answer.header("x-amz-transition-default-minimum-object-size") == "all_storage_classes_128K"
