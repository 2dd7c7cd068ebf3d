"""Keys are any UTF-8 of up to 1,024 bytes; nothing in them is a path.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html
"""

from __future__ import annotations

from typing import Any

import pytest

from conformance.raw import Raw, Request

ODD = [
    ".",
    "..",
    "../up",
    "a/../b",
    "a/./b",
    "a/..",
    "/leading",
    "//two",
    "trailing/",
    "trailing//",
    "a//b",
    "/",
    "//",
    "a+b",
    "a b",
    " ",
    " leading and trailing ",
    "a%2Fb",
    "a%2fb",
    "%",
    "%00",
    "100%",
    "a?b",
    "a?versionId=1",
    "a#b",
    "a&b=c",
    "a;b",
    "a:b@c",
    "new\nline",
    "carriage\rreturn",
    "tab\t",
    "\x01\x1f",
    "\x7f",
    "back\\slash",
    "'\"`",
    "<&>",
    "{}[]|^~",
    "*",
    "é",
    "e\u0301",
    "日本語/キー",
    "😀",
    "\u200b",
    "\ufeff",
    "\U0010ffff",
    "x" * 1024,
    "😀" * 256,
    "a/" * 512,
    "null",
    "index.html",
]


@pytest.mark.parametrize("key", ODD, ids=lambda key: repr(key)[:24])
def test_round_trip(raw: Raw, s3: Any, bucket: str, key: str) -> None:
    body = key.encode()
    assert raw.put(f"/{bucket}/{key}", body).status == 200
    assert raw.get(f"/{bucket}/{key}").body == body
    assert raw.head(f"/{bucket}/{key}").status == 200
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [key]
    assert raw.put(f"/{bucket}/again", headers={"x-amz-copy-source": raw_source(bucket, key)}).status == 200
    assert raw.get(f"/{bucket}/again").body == body
    assert raw.delete(f"/{bucket}/{key}").status == 204
    assert raw.head(f"/{bucket}/{key}").status == 404


def raw_source(bucket: str, key: str) -> str:
    return bucket + "/" + "".join(f"%{byte:02X}" for byte in key.encode())


def test_all_live_side_by_side_in_order_of_bytes(raw: Raw, s3: Any, bucket: str) -> None:
    for key in ODD:
        assert raw.put(f"/{bucket}/{key}", key.encode()).status == 200
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 7})
    assert [found["Key"] for page in pages for found in page["Contents"]] == sorted(ODD, key=str.encode)
    for key in ODD:
        assert raw.get(f"/{bucket}/{key}").body == key.encode()


def test_key_beside_keys_under_it(s3: Any, bucket: str) -> None:
    for key in ("a", "a/", "a/b", "a/b/c"):
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.delete_object(Bucket=bucket, Key="a/b")
    for key in ("a", "a/", "a/b/c"):
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key.encode()


@pytest.mark.parametrize("key", ["x" * 1025, "é" * 513])
@pytest.mark.parametrize("method", ["PUT", "GET", "DELETE"])
def test_key_that_is_too_long_is_refused(raw: Raw, bucket: str, key: str, method: str) -> None:
    answer = raw.send(raw.prepare(method, f"/{bucket}/{key}"))
    assert (answer.status, answer.code) == (400, "KeyTooLongError")
    assert (answer.text("Size"), answer.text("MaxSizeAllowed")) == (str(len(key.encode())), "1024")


def test_long_keys_that_differ_at_the_end_only(s3: Any, bucket: str) -> None:
    """Orders and tells apart keys by all of their bytes, past whatever an index keeps of them."""
    stem = "p/" + "k" * 1012
    keys = [stem + f"{n:03}" for n in range(12)] + [stem, "p/" + "k" * 1011 + "l"]
    for key in reversed(keys):
        s3.put_object(Bucket=bucket, Key=key, Body=key[-3:].encode())
    pages = list(s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, PaginationConfig={"PageSize": 5}))
    assert [found["Key"] for page in pages for found in page["Contents"]] == sorted(keys)
    found = s3.list_objects_v2(Bucket=bucket, StartAfter=keys[5])["Contents"]
    assert found[0]["Key"] == keys[6]
    assert len(s3.list_objects_v2(Bucket=bucket, Prefix=stem + "00")["Contents"]) == 10
    s3.delete_object(Bucket=bucket, Key=keys[7])
    for key in keys[:7] + keys[8:]:
        assert s3.get_object(Bucket=bucket, Key=key)["Body"].read() == key[-3:].encode()


def test_long_keys_with_versions(s3: Any, versioned: str) -> None:
    keys = ["v" * 1023 + end for end in "abc"]
    made = {key: [s3.put_object(Bucket=versioned, Key=key)["VersionId"] for _ in range(3)] for key in keys}
    listed = s3.list_object_versions(Bucket=versioned)["Versions"]
    assert [(found["Key"], found["VersionId"]) for found in listed] == [
        (key, version) for key in keys for version in reversed(made[key])
    ]


@pytest.mark.parametrize("sent", ["a+b%20c~d", "%61+b%20c%7Ed", "a%2Bb%20c~d", "a%2bb%20c~d"])
def test_encodings_of_one_key_are_one_key(raw: Raw, bucket: str, sent: str) -> None:
    """The signature is over the path in AWS's own encoding, however the client spelt it on the wire."""
    assert raw.put(f"/{bucket}/a+b c~d", b"found").status == 200
    request = raw.prepare("GET", f"/{bucket}/a+b c~d")
    answer = raw.send(Request("GET", f"/{bucket}/{sent}", request.headers))
    assert (answer.status, answer.body) == (200, b"found")


@pytest.mark.parametrize("sent", ["%ff", "a%C3", "%C3%28", "%ED%A0%80"])
def test_key_that_is_not_utf_8_is_refused(raw: Raw, bucket: str, sent: str) -> None:
    answer = raw.send(raw.plain("GET", f"/{bucket}/{sent}"))
    assert (answer.status, answer.code) in ((400, "InvalidURI"), (400, "InvalidArgument"))
