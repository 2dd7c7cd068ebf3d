"""A browser's form, as boto3 prepares it and a browser sends it. What is expected is what S3 was recorded to answer."""

from __future__ import annotations

import hashlib
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from conformance.raw import Answer, Raw
from conformance.refusals import refused
from conformance.server import Server

BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
TYPE = f"multipart/form-data; boundary={BOUNDARY}"
Fields = dict[str, str]


def body(size: int) -> bytes:
    return bytes(range(251)) * (size // 251) + bytes(size % 251)


def form_of(fields: Fields, file: bytes | None, name: str | None = "photo.jpg", late: Fields | None = None) -> bytes:
    def part(name: str, content: bytes, more: str = "") -> bytes:
        return (
            f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + content + b"\r\n"
        )

    parts = [part(at, value.encode()) for at, value in fields.items()]
    if file is not None:
        shown = f'; filename="{name}"\r\nContent-Type: image/jpeg' if name is not None else ""
        parts.append(part("file", file, shown))
    parts += [part(at, value.encode()) for at, value in (late or {}).items()]
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def send(raw: Raw, bucket: str, content: bytes, **headers: str) -> Answer:
    return raw.send(raw.plain("POST", f"/{bucket}", {"Content-Type": TYPE, **headers}, content))


def prepared(s3: Any, bucket: str, key: str = "key", more: Fields | None = None, *conditions: Any) -> Fields:
    """The fields of a form, each of those beyond boto3's own allowed by a condition."""
    given = [{name: value} for name, value in (more or {}).items()]
    made = s3.generate_presigned_post(bucket, key, Fields=more, Conditions=[*given, *conditions])
    fields: Fields = made["fields"]
    return fields


@pytest.fixture(params=["s3v4", "s3"])
def signing(request: pytest.FixtureRequest, server: Server) -> Any:
    """A client that signs forms by Version 4, or 2."""
    return server.client(signature_version=request.param)


@pytest.mark.parametrize("size", [0, 1, 65_536, 65_537, 3_000_000])
def test_what_is_posted_is_there(s3: Any, signing: Any, raw: Raw, bucket: str, size: int) -> None:
    content = body(size)
    answer = send(raw, bucket, form_of(prepared(signing, bucket, "dir/ä b"), content))
    etag = f'"{hashlib.md5(content).hexdigest()}"'
    assert (answer.status, answer.body, answer.header("etag")) == (204, b"", etag)
    assert answer.header("location") == f"http://{raw.host}/{bucket}/dir%2F%C3%A4%20b"
    assert answer.header("content-length") is None
    assert answer.header("x-amz-checksum-type") == "FULL_OBJECT"
    found = s3.get_object(Bucket=bucket, Key="dir/ä b")
    assert (found["Body"].read(), found["ETag"], found["ContentType"]) == (content, etag, "binary/octet-stream")


def test_fields_describe_the_object(s3: Any, raw: Raw, bucket: str) -> None:
    tagging = "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
    given = {
        "Content-Type": "image/png",
        "Cache-Control": "no-cache",
        "Content-Disposition": "attachment",
        "Content-Language": "de",
        "acl": "private",
        "x-amz-meta-Note": "ÄÖ",
        "x-amz-storage-class": "STANDARD_IA",
        "tagging": tagging,
    }
    answer = send(raw, bucket, form_of(prepared(s3, bucket, "key", given), b"content"))
    assert answer.status == 204, answer.body
    found = s3.head_object(Bucket=bucket, Key="key")
    shown = (found["ContentType"], found["CacheControl"], found["ContentDisposition"], found["StorageClass"])
    assert shown == ("image/png", "no-cache", "attachment", "STANDARD_IA")
    assert found["ContentLanguage"] == "de"
    assert found["Metadata"] == {"note": "=?UTF-8?B?w4TDlg==?="}
    assert s3.get_object_tagging(Bucket=bucket, Key="key")["TagSet"] == [{"Key": "a", "Value": "b"}]


def test_the_file_names_the_key(s3: Any, raw: Raw, bucket: str) -> None:
    fields = prepared(s3, bucket, "user/${filename}")
    assert send(raw, bucket, form_of(fields, b"content", "C:\\dir\\my photo.jpg")).status == 204
    assert s3.get_object(Bucket=bucket, Key="user/my photo.jpg")["Body"].read() == b"content"


@pytest.mark.parametrize(("asked", "status"), [("200", 200), ("201", 201), ("204", 204), ("404", 204), ("", 204)])
def test_the_status_that_is_asked_for(s3: Any, raw: Raw, bucket: str, asked: str, status: int) -> None:
    fields = prepared(s3, bucket, "a/b&c", {"success_action_status": asked})
    answer = send(raw, bucket, form_of(fields, b"content"))
    assert answer.status == status
    if status != 201:
        assert answer.body == b""
        return
    root = answer.root
    assert (root.tag, [child.tag for child in root]) == ("PostResponse", ["Location", "Bucket", "Key", "ETag"])
    location, etag = answer.header("location"), answer.header("etag")
    assert [child.text for child in root] == [location, bucket, "a/b&c", etag]


@pytest.mark.parametrize("name", ["success_action_redirect", "redirect"])
def test_the_place_to_go_on(s3: Any, raw: Raw, bucket: str, name: str) -> None:
    fields = prepared(s3, bucket, "a/b c", {name: "https://site.example/done?x=1#end"})
    answer = send(raw, bucket, form_of(fields, b"content"))
    assert (answer.status, answer.body) == (303, b"")
    parts = urlsplit(answer.header("location") or "")
    assert (parts.netloc, parts.path, parts.fragment) == ("site.example", "/done", "end")
    told = [("x", "1"), ("bucket", bucket), ("key", "a/b c"), ("etag", answer.header("etag") or "")]
    assert parse_qsl(parts.query) == told


@pytest.mark.parametrize("place", ["/relative", "javascript:alert(1)", "http://", "https://a/\r\nb: c", "https://ä"])
def test_a_place_that_is_none_is_passed_over(s3: Any, raw: Raw, bucket: str, place: str) -> None:
    fields = prepared(s3, bucket, "key", {"success_action_redirect": place})
    assert send(raw, bucket, form_of(fields, b"content")).status == 204


def test_a_version_is_named(s3: Any, raw: Raw, versioned: str) -> None:
    answer = send(raw, versioned, form_of(prepared(s3, versioned), b"content"))
    version = answer.header("x-amz-version-id")
    assert s3.get_object(Bucket=versioned, Key="key", VersionId=version)["Body"].read() == b"content"


def test_checksums_are_verified(s3: Any, raw: Raw, bucket: str) -> None:
    for given, status, code in (
        ({"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-crc32": "AAAAAA=="}, 400, "BadDigest"),
        ({"x-amz-checksum-sha256": "none"}, 400, "InvalidRequest"),
        ({"Content-MD5": "CY9rzUYh03PK3k6DJie09g=="}, 204, None),
        ({"Content-MD5": "AAAAAAAAAAAAAAAAAAAAAA=="}, 400, "BadDigest"),
    ):
        answer = send(raw, bucket, form_of(prepared(s3, bucket, "key", given), b"test"))
        assert answer.status == status, (given, answer.body)
        assert code is None or answer.code == code


def test_the_size_is_held_to_the_policy(s3: Any, raw: Raw, bucket: str) -> None:
    fields = prepared(s3, bucket, "key", None, ["content-length-range", 5, 100_000])
    for size, code, limit in ((4, "EntityTooSmall", "MinSizeAllowed"), (100_001, "EntityTooLarge", "MaxSizeAllowed")):
        answer = send(raw, bucket, form_of(fields, body(size)))
        assert (answer.status, answer.code) == (400, code)
        assert answer.text(limit) in ("5", "100000")
        assert int(answer.text("ProposedSize") or 0) <= size
    for size in (5, 100_000):
        assert send(raw, bucket, form_of(fields, body(size))).status == 204


def test_what_the_policy_does_not_allow(s3: Any, raw: Raw, bucket: str, new_name: Any) -> None:
    fields = prepared(s3, bucket, "user/${filename}", {"acl": "private"})
    for change in ({"key": "other"}, {"acl": "public-read"}, {"x-amz-meta-a": "b"}, {"Content-Type": "a/b"}):
        answer = send(raw, bucket, form_of(fields | change, b"content"))
        assert (answer.status, answer.code) == (403, "AccessDenied")
        assert (answer.text("Message") or "").startswith("Invalid according to Policy: ")
    another = new_name("another")
    s3.create_bucket(Bucket=another)
    assert send(raw, another, form_of(fields, b"content")).code == "AccessDenied"
    expired = s3.generate_presigned_post(bucket, "key", ExpiresIn=-1)["fields"]
    answer = send(raw, bucket, form_of(expired, b"content"))
    assert answer.text("Message") == "Invalid according to Policy: Policy expired."
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_who_may_not(s3: Any, alice: Any, raw: Raw, bucket: str) -> None:
    fields = prepared(s3, bucket)
    answer = send(raw, bucket, form_of(fields | {"x-amz-signature": "0" * 64}, b"content"))
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    anonymous = {"key": "key"}
    assert send(raw, bucket, form_of(anonymous, b"content")).code == "AccessDenied"
    assert send(raw, bucket, form_of(prepared(alice, bucket), b"content")).code == "AccessDenied"
    answer = send(raw, "there-is-no-such-bucket", form_of(prepared(s3, "there-is-no-such-bucket"), b"content"))
    assert (answer.status, answer.code) == (404, "NoSuchBucket")


def test_fields_behind_the_file_are_passed_over(s3: Any, raw: Raw, bucket: str) -> None:
    fields = prepared(s3, bucket)
    key = {"key": fields.pop("key")}
    answer = send(raw, bucket, form_of(fields, b"content", late=key))
    assert (answer.status, answer.code, answer.text("ArgumentName")) == (400, "InvalidArgument", "key")
    assert send(raw, bucket, form_of(fields | key, b"content", late={"submit": "Upload"})).status == 204


def test_what_is_no_form(s3: Any, raw: Raw, bucket: str) -> None:
    whole = form_of(prepared(s3, bucket), b"content")
    answer = send(raw, bucket, whole, **{"Content-Type": "text/plain"})
    assert (answer.status, answer.code) == (412, "PreconditionFailed")
    assert answer.text("Condition") == "Bucket POST must be of the enclosure-type multipart/form-data"
    answer = send(raw, bucket, whole, **{"Content-Type": "multipart/form-data"})
    assert (answer.status, answer.code) == (400, "MalformedPOSTRequest")
    answer = send(raw, bucket, whole[: whole.index(b"content") + 3])
    assert (answer.status, answer.code) == (400, "MalformedPOSTRequest")
    answer = send(raw, bucket, form_of(prepared(s3, bucket), None))
    assert (answer.status, answer.code, answer.text("ArgumentName")) == (400, "InvalidArgument", "file")
    answer = send(raw, bucket, form_of({"a": "b" * 30_000}, b"content"))
    assert (answer.status, answer.code) == (400, "MaxPostPreDataLengthExceeded")
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


def test_encrypted_as_a_field_says(s3: Any, raw: Raw, bucket: str) -> None:
    fields = prepared(s3, bucket, "key", {"x-amz-server-side-encryption": "AES256"})
    answer = send(raw, bucket, form_of(fields, b"content"))
    assert (answer.status, answer.header("x-amz-server-side-encryption")) == (204, "AES256")
    got = s3.get_object(Bucket=bucket, Key="key")
    assert (got["ServerSideEncryption"], got["Body"].read()) == ("AES256", b"content")


def test_what_is_not_built_is_refused(s3: Any, raw: Raw, bucket: str) -> None:
    fields = prepared(s3, bucket, "key", {"x-amz-server-side-encryption": "aws:kms:dsse"})
    answer = send(raw, bucket, form_of(fields, b"content"))
    assert (answer.status, answer.code) == (501, "NotImplemented")
    with refused(404):
        s3.head_object(Bucket=bucket, Key="key")


def test_a_page_of_another_site_may_read_the_answer(s3: Any, raw: Raw, bucket: str) -> None:
    rule = {"AllowedMethods": ["POST"], "AllowedOrigins": ["https://site.example"]}
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})
    answer = send(raw, bucket, form_of(prepared(s3, bucket), b"content"), Origin="https://site.example")
    assert answer.header("access-control-allow-origin") == "https://site.example"


def test_in_chunks_of_http(s3: Any, raw: Raw, bucket: str) -> None:
    content = form_of(prepared(s3, bucket), body(200_000))
    framed = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces(content, 7_777)) + b"0\r\n\r\n"
    asked = raw.plain("POST", f"/{bucket}", {"Content-Type": TYPE, "Transfer-Encoding": "chunked"})
    del asked.headers["Content-Length"]
    asked.body = framed
    assert raw.send(asked).status == 204
    assert s3.get_object(Bucket=bucket, Key="key")["Body"].read() == body(200_000)


def pieces(content: bytes, size: int) -> list[bytes]:
    return [content[at : at + size] for at in range(0, len(content), size)]
