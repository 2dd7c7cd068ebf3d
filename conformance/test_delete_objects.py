from __future__ import annotations

import hashlib
from typing import Any

import pytest

from conformance.content import content_md5, etag
from conformance.raw import Raw
from conformance.refusals import refused


def delete(s3: Any, bucket: str, *objects: Any, quiet: bool = False) -> Any:
    listed = [{"Key": one} if isinstance(one, str) else one for one in objects]
    return s3.delete_objects(Bucket=bucket, Delete={"Objects": listed, "Quiet": quiet})


def post(raw: Raw, bucket: str, body: bytes, **headers: str) -> Any:
    return raw.post(f"/{bucket}", body, {"delete": ""}, {"Content-MD5": content_md5(body)} | headers)


def keys(s3: Any, bucket: str) -> list[str]:
    return [found["Key"] for found in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]


def test_deletes_what_is_named_and_nothing_else(s3: Any, bucket: str) -> None:
    for key in ("a", "b", "c"):
        s3.put_object(Bucket=bucket, Key=key)
    answer = delete(s3, bucket, "a", "c")
    assert sorted(found["Key"] for found in answer["Deleted"]) == ["a", "c"]
    assert "Errors" not in answer
    assert keys(s3, bucket) == ["b"]


def test_key_that_is_not_there_counts_as_deleted(s3: Any, bucket: str) -> None:
    assert delete(s3, bucket, "none")["Deleted"] == [{"Key": "none"}]


def test_a_thousand_at_once(s3: Any, bucket: str) -> None:
    names = [f"key-{number:04}" for number in range(1000)]
    for name in names[::100]:
        s3.put_object(Bucket=bucket, Key=name)
    assert len(delete(s3, bucket, *names)["Deleted"]) == 1000
    assert keys(s3, bucket) == []


def test_more_than_a_thousand_are_refused(s3: Any, bucket: str) -> None:
    with refused("MalformedXML", 400):
        delete(s3, bucket, *[f"key-{number}" for number in range(1001)])


def test_quiet_says_nothing_of_what_went_well(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a")
    answer = delete(s3, bucket, "a", "none", quiet=True)
    assert "Deleted" not in answer
    assert "Errors" not in answer
    assert keys(s3, bucket) == []


def test_same_key_twice(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a")
    delete(s3, bucket, "a", "a")
    assert keys(s3, bucket) == []


@pytest.mark.parametrize("key", ["a b", "a+b", "ünïcode", "a%2Fb", "<&>'\"", "new\nline", " leading", "a//b", "😀"])
def test_odd_key(s3: Any, bucket: str, key: str) -> None:
    s3.put_object(Bucket=bucket, Key=key)
    s3.put_object(Bucket=bucket, Key="bystander")
    assert delete(s3, bucket, key)["Deleted"] == [{"Key": key}]
    assert keys(s3, bucket) == ["bystander"]


def test_versioned_names_the_markers(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="key")
    (found,) = delete(s3, versioned, "key")["Deleted"]
    (marker,) = s3.list_object_versions(Bucket=versioned)["DeleteMarkers"]
    assert found == {"Key": "key", "DeleteMarker": True, "DeleteMarkerVersionId": marker["VersionId"]}


def test_version_by_id(s3: Any, versioned: str) -> None:
    first, second = (s3.put_object(Bucket=versioned, Key="key")["VersionId"] for _ in range(2))
    (found,) = delete(s3, versioned, {"Key": "key", "VersionId": first})["Deleted"]
    assert found == {"Key": "key", "VersionId": first}
    (left,) = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert left["VersionId"] == second


def test_delete_marker_by_id(s3: Any, versioned: str) -> None:
    marker = s3.delete_object(Bucket=versioned, Key="key")["VersionId"]
    (found,) = delete(s3, versioned, {"Key": "key", "VersionId": marker})["Deleted"]
    assert found == {
        "Key": "key",
        "VersionId": marker,
        "DeleteMarker": True,
        "DeleteMarkerVersionId": marker,
    }


def test_several_versions_of_one_key(s3: Any, versioned: str) -> None:
    ids = [s3.put_object(Bucket=versioned, Key="key")["VersionId"] for _ in range(3)]
    answer = delete(s3, versioned, *[{"Key": "key", "VersionId": one} for one in ids])
    assert {found["VersionId"] for found in answer["Deleted"]} == set(ids)
    s3.delete_bucket(Bucket=versioned)


def test_version_id_that_cannot_be_is_an_error_of_its_own(s3: Any, versioned: str) -> None:
    s3.put_object(Bucket=versioned, Key="good")
    answer = delete(s3, versioned, "good", {"Key": "key", "VersionId": "no version id"})
    (error,) = answer["Errors"]
    assert (error["Key"], error["VersionId"], error["Code"]) == ("key", "no version id", "NoSuchVersion")
    assert [found["Key"] for found in answer["Deleted"]] == ["good"]


def test_etag_is_a_condition_of_its_own(s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    s3.put_object(Bucket=bucket, Key="b", Body=b"b")
    answer = delete(s3, bucket, {"Key": "a", "ETag": etag(b"a")}, {"Key": "b", "ETag": etag(b"else")})
    assert [found["Key"] for found in answer["Deleted"]] == ["a"]
    assert [(error["Key"], error["Code"]) for error in answer["Errors"]] == [("b", "PreconditionFailed")]
    assert keys(s3, bucket) == ["b"]


def test_digest_of_the_body_is_required(raw: Raw, bucket: str) -> None:
    body = b"<Delete><Object><Key>a</Key></Object></Delete>"
    answer = raw.post(f"/{bucket}", body, {"delete": ""})
    assert (answer.status, answer.code) == (400, "InvalidRequest")


def test_wrong_digest_of_the_body_is_refused(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a")
    body = b"<Delete><Object><Key>a</Key></Object></Delete>"
    answer = raw.post(f"/{bucket}", body, {"delete": ""}, {"Content-MD5": content_md5(b"else")})
    assert (answer.status, answer.code) == (400, "BadDigest")
    digests = (answer.text("ExpectedDigest"), answer.text("CalculatedDigest"))
    assert digests == (hashlib.md5(b"else").hexdigest(), content_md5(body))
    assert keys(s3, bucket) == ["a"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not xml",
        b"<Delete></Delete>",
        b"<Delete><Object></Object></Delete>",
        b"<Delete><Object><Key></Key></Object></Delete>",
        b"<Delete><Object><Key>a</Key></Object>",
        b'<!DOCTYPE a [<!ENTITY b "c">]><Delete><Object><Key>&b;</Key></Object></Delete>',
    ],
)
def test_body_that_names_nothing_is_refused(raw: Raw, bucket: str, body: bytes) -> None:
    answer = post(raw, bucket, body)
    assert (answer.status, answer.code) in (
        (400, "MalformedXML"),
        (400, "MissingRequestBodyError"),
        (400, "UserKeyMustBeSpecified"),
    )


def test_body_with_and_without_namespace(raw: Raw, s3: Any, bucket: str) -> None:
    for name in ("", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'):
        s3.put_object(Bucket=bucket, Key="a")
        answer = post(raw, bucket, f"<Delete{name}><Object><Key>a</Key></Object></Delete>".encode())
        assert (answer.status, answer.text("Deleted/Key")) == (200, "a")
        assert answer.root.tag == "{http://s3.amazonaws.com/doc/2006-03-01/}DeleteResult"


def test_bucket_that_is_not_there(s3: Any) -> None:
    with refused("NoSuchBucket", 404):
        delete(s3, "there-is-no-such-bucket", "a")


def test_bucket_of_another_is_forbidden(s3: Any, alice: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a")
    with refused("AccessDenied", 403):
        delete(alice, bucket, "a")
    assert keys(s3, bucket) == ["a"]
