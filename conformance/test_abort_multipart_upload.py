from __future__ import annotations

from typing import Any

from conformance.content import MIB, noise
from conformance.multipart import Upload
from conformance.raw import Raw
from conformance.refusals import refused


def test_upload_is_gone(raw: Raw, s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket).put(noise(MIB))
    answer = raw.delete(f"/{bucket}/key", {"uploadId": upload.id})
    assert (answer.status, answer.body) == (204, b"")
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=bucket)
    for call in (upload.complete, lambda: upload.put(b"more"), lambda: s3.list_parts(**upload.named)):
        with refused("NoSuchUpload", 404):
            call()


def test_object_of_that_key_stays(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"stays")
    Upload.begin(s3, bucket).put(b"part").abort()
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"stays"


def test_other_upload_of_that_key_stays(s3: Any, bucket: str) -> None:
    stays, goes = Upload.begin(s3, bucket).put(b"stays"), Upload.begin(s3, bucket).put(b"goes")
    goes.abort()
    stays.complete()
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == b"stays"


def test_upload_that_is_not_there(s3: Any, bucket: str) -> None:
    with refused("NoSuchUpload", 404):
        Upload(s3, bucket, "key", "none").abort()


def test_upload_of_another_key(s3: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    with refused("NoSuchUpload", 404):
        Upload(s3, bucket, "other", upload.id).abort()


def test_upload_of_another_user_is_forbidden(s3: Any, alice: Any, bucket: str) -> None:
    upload = Upload.begin(s3, bucket)
    with refused("AccessDenied", 403):
        alice.abort_multipart_upload(**upload.named)
