from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from conformance.content import etag
from conformance.raw import Raw
from conformance.refusals import refused
from conformance.server import Server


def suspend(s3: Any, bucket: str) -> None:
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


def version_ids(s3: Any, bucket: str) -> list[str]:
    answer = s3.list_object_versions(Bucket=bucket)
    found = answer.get("Versions", []) + answer.get("DeleteMarkers", [])
    return [version["VersionId"] for version in found]


def test_object_is_gone(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    answer = raw.delete(f"/{bucket}/key")
    assert (answer.status, answer.body) == (204, b"")
    assert not answer.names() & {"x-amz-delete-marker", "x-amz-version-id"}
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=bucket, Key="key")


def test_key_that_is_not_there_is_well(raw: Raw, bucket: str) -> None:
    assert raw.delete(f"/{bucket}/none").status == 204


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        s3.delete_object(Bucket="there-is-no-such-bucket", Key="key")


def test_object_of_another_is_forbidden(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    with refused("AccessDenied", 403):
        alice.delete_object(Bucket=bucket, Key="key")
    s3.head_object(Bucket=bucket, Key="key")


def test_versioned_puts_a_delete_marker_on_top(s3: Any, versioned: str) -> None:
    kept = s3.put_object(Bucket=versioned, Key="key", Body=b"kept")["VersionId"]
    answer = s3.delete_object(Bucket=versioned, Key="key")
    assert answer["DeleteMarker"] is True
    assert set(version_ids(s3, versioned)) == {kept, answer["VersionId"]}
    assert s3.get_object(Bucket=versioned, Key="key", VersionId=kept)["Body"].read() == b"kept"
    with refused("NoSuchKey", 404):
        s3.get_object(Bucket=versioned, Key="key")


def test_versioned_marks_what_never_was(s3: Any, versioned: str) -> None:
    assert s3.delete_object(Bucket=versioned, Key="never")["DeleteMarker"] is True
    assert len(version_ids(s3, versioned)) == 1


def test_versioned_marks_again(s3: Any, versioned: str) -> None:
    markers = {s3.delete_object(Bucket=versioned, Key="key")["VersionId"] for _ in range(3)}
    assert len(markers) == 3


def test_deleting_the_marker_brings_the_object_back(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key", Body=b"back")
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    answer = s3.delete_object(Bucket=versioned, Key="key", VersionId=marker)
    assert (answer["DeleteMarker"], answer["VersionId"]) == (True, marker)
    assert s3.get_object(Bucket=versioned, Key="key")["Body"].read() == b"back"


def test_version_by_id_is_gone_for_good(s3: Any, versioned: str) -> None:
    ids = [s3.put_object(Bucket=versioned, Key="key", Body=body)["VersionId"] for body in (b"1", b"2", b"3")]
    answer = s3.delete_object(Bucket=versioned, Key="key", VersionId=ids[1])
    assert answer["VersionId"] == ids[1]
    assert "DeleteMarker" not in answer
    assert version_ids(s3, versioned) == [ids[2], ids[0]]


def test_deleting_the_current_version_uncovers_the_one_before(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key", Body=b"before")
    current = s3.put_object(Bucket=versioned, Key="key", Body=b"current")["VersionId"]
    s3.delete_object(Bucket=versioned, Key="key", VersionId=current)
    assert s3.get_object(Bucket=versioned, Key="key")["Body"].read() == b"before"
    assert s3.list_objects_v2(Bucket=versioned)["Contents"][0]["ETag"] == etag(b"before")


def test_deleting_every_version_leaves_nothing(s3: Any, versioned: str) -> None:
    for _ in range(3):
        s3.put_object(Bucket=versioned, Key="key")
    s3.delete_object(Bucket=versioned, Key="key")
    for version in version_ids(s3, versioned):
        s3.delete_object(Bucket=versioned, Key="key", VersionId=version)
    s3.delete_bucket(Bucket=versioned)


def test_version_id_that_cannot_be_is_refused(s3: Any, versioned: str) -> None:
    with refused("InvalidArgument", 400):
        s3.delete_object(Bucket=versioned, Key="key", VersionId="no version id")


def test_version_that_is_gone_is_well(s3: Any, versioned: str) -> None:
    version = s3.put_object(Bucket=versioned, Key="key")["VersionId"]
    for _ in range(2):
        assert s3.delete_object(Bucket=versioned, Key="key", VersionId=version)["VersionId"] == version


def test_suspended_puts_a_null_marker_in_place_of_the_null_version(s3: Any, versioned: str) -> None:
    kept = s3.put_object(Bucket=versioned, Key="key", Body=b"kept")["VersionId"]
    suspend(s3, versioned)
    s3.put_object(Bucket=versioned, Key="key", Body=b"null")
    for _ in range(2):
        answer = s3.delete_object(Bucket=versioned, Key="key")
        assert (answer["DeleteMarker"], answer["VersionId"]) == (True, "null")
    assert set(version_ids(s3, versioned)) == {"null", kept}


def test_null_version_by_id(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"null")
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    kept = s3.put_object(Bucket=bucket, Key="key")["VersionId"]
    assert s3.delete_object(Bucket=bucket, Key="key", VersionId="null")["VersionId"] == "null"
    assert version_ids(s3, bucket) == [kept]


def test_null_of_an_unversioned_bucket_is_the_object(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    s3.delete_object(Bucket=bucket, Key="key", VersionId="null")
    with refused(404):
        s3.head_object(Bucket=bucket, Key="key")


def test_if_match_holds(s3: Any, bucket: str) -> None:
    found = s3.put_object(Bucket=bucket, Key="key", Body=b"body")["ETag"]
    s3.delete_object(Bucket=bucket, Key="key", IfMatch=found)
    with refused(404):
        s3.head_object(Bucket=bucket, Key="key")


def test_if_match_does_not_hold(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    with refused("PreconditionFailed", 412) as error:
        s3.delete_object(Bucket=bucket, Key="key", IfMatch=etag(b"else"))
    assert error["Condition"] == "If-Match"
    s3.head_object(Bucket=bucket, Key="key")


def test_if_match_star_holds_for_whatever_is_there(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key")
    s3.delete_object(Bucket=bucket, Key="key", IfMatch="*")
    with refused(404):
        s3.head_object(Bucket=bucket, Key="key")


def test_if_match_in_a_versioned_bucket_looks_at_the_current_version(s3: Any, versioned: str) -> None:
    old = s3.put_object(Bucket=versioned, Key="key", Body=b"old")["ETag"]
    new = s3.put_object(Bucket=versioned, Key="key", Body=b"new")["ETag"]
    with refused("PreconditionFailed", 412):
        s3.delete_object(Bucket=versioned, Key="key", IfMatch=old)
    assert s3.delete_object(Bucket=versioned, Key="key", IfMatch=new)["DeleteMarker"] is True


@pytest.mark.parametrize("header", ["x-amz-if-match-size", "x-amz-if-match-last-modified-time"])
def test_size_and_time_may_be_conditions_too(raw: Raw, s3: Any, bucket: str, header: str) -> None:
    # AWS takes these two for directory buckets only; here every bucket honours them.
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    modified = raw.head(f"/{bucket}/key").header("last-modified") or ""
    right, wrong = ("4", "5") if header.endswith("size") else (modified, "Wed, 21 Oct 2015 07:28:00 GMT")
    answer = raw.delete(f"/{bucket}/key", headers={header: wrong})
    assert (answer.status, answer.code) == (412, "PreconditionFailed")
    assert raw.delete(f"/{bucket}/key", headers={header: right}).status == 204
    assert raw.head(f"/{bucket}/key").status == 404


def test_of_racing_deleters_with_if_match_one_wins(two_workers: Server, new_name: Callable[[str], str]) -> None:
    s3, bucket = two_workers.client(max_pool_connections=8), new_name("race")
    s3.create_bucket(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})

    def attempt(found: str) -> bool:
        try:
            s3.delete_object(Bucket=bucket, Key="key", IfMatch=found)
        except s3.exceptions.ClientError:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        for number in range(10):
            found = s3.put_object(Bucket=bucket, Key="key", Body=b"%d" % number)["ETag"]
            assert sum(pool.map(attempt, [found] * 8)) == 1
