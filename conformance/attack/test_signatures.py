"""Tricks with signatures, by name: each is refused with its error, and nothing is written or shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conformance.conftest import ALICE
from conformance.raw import Raw, Request
from conformance.server import Keys, running
from conformance.signing import STREAMING, UNSIGNED, UNSIGNED_TRAILER, encode_path, frames

HOUR_AGO = datetime.now(UTC) - timedelta(hours=1)
MISMATCH, MALFORMED, INVALID = "SignatureDoesNotMatch", "AuthorizationHeaderMalformed", "InvalidArgument"
QUERY = "AuthorizationQueryParametersError"

Spoil = Callable[[Raw, Request], None]


def put(raw: Raw, bucket: str) -> Request:
    return raw.prepare("PUT", f"/{bucket}/key", headers={"x-amz-meta-a": "right"}, body=b"evil")


def changed(name: str, value: str) -> Spoil:
    return lambda raw, request: request.headers.update({name: value})


def authorization(change: Callable[[str], str]) -> Spoil:
    return lambda raw, request: request.headers.update(Authorization=change(request.headers["Authorization"]))


def again(name: str, value: str) -> Spoil:
    """The header a second time, behind the first."""
    return lambda raw, request: request.headers.update({name.swapcase(): value})


def signature(change: Callable[[str], str]) -> Spoil:
    return authorization(lambda text: text[:-64] + change(text[-64:]))


def target(old: str, new: str) -> Spoil:
    def spoil(raw: Raw, request: Request) -> None:
        request.target = request.target.replace(old, new)

    return spoil


def exchanged(text: str) -> str:
    return text.replace("host;x-amz-content-sha256", "x-amz-content-sha256;host")


def small(text: str) -> str:
    return text.replace("DUCKETROOT", "ducketroot")


def later(raw: Raw, request: Request) -> None:
    request.headers["x-amz-date"] = (datetime.now(UTC) + timedelta(minutes=2)).strftime("%Y%m%dT%H%M%SZ")


def body(raw: Raw, request: Request) -> None:
    request.body = b"eviL"


def lengths(raw: Raw, request: Request) -> None:
    request.headers["Transfer-Encoding"] = "chunked"
    request.body = b"0\r\n\r\n"


def method(name: str) -> Spoil:
    def spoil(raw: Raw, request: Request) -> None:
        request.method = name

    return spoil


HEADER_TRICKS: dict[str, tuple[Spoil, set[str]]] = {
    "signed header changed": (changed("x-amz-meta-a", "wrong"), {MISMATCH}),
    "signed header left out": (lambda raw, request: request.headers.pop("x-amz-meta-a") and None, {MISMATCH}),
    "signed header twice": (again("x-amz-meta-a", "wrong"), {MISMATCH}),
    "host twice": (again("Host", "localhost"), {MISMATCH}),
    "host changed": (changed("Host", "localhost"), {MISMATCH}),
    "host in other letters": (changed("Host", "LOCALHOST"), {MISMATCH}),
    "unsigned header added": (changed("x-amz-copy-source", "/bucket/other"), {"AccessDenied"}),
    "unsigned header in other letters": (changed("X-AMZ-Acl", "public-read"), {"AccessDenied"}),
    "authorization twice": (again("Authorization", "AWS4-HMAC-SHA256 x"), {MISMATCH, MALFORMED, INVALID}),
    "algorithm none": (authorization(lambda text: text.replace("AWS4-HMAC-SHA256", "none", 1)), {INVALID}),
    "algorithm in small letters": (authorization(lambda text: text.replace("AWS4-HMAC", "aws4-hmac", 1)), {INVALID}),
    "algorithm of other strength": (authorization(lambda text: text.replace("SHA256", "SHA1", 1)), {INVALID}),
    "no signature": (signature(lambda text: ""), {MISMATCH}),
    "signature of zeros": (signature(lambda text: "0" * 64), {MISMATCH}),
    "signature in capitals": (signature(str.upper), {MISMATCH}),
    "signature cut": (signature(lambda text: text[:-1]), {MISMATCH}),
    "signature with more behind it": (signature(lambda text: text + "00"), {MISMATCH}),
    "signature that is not ASCII": (signature(lambda text: "é" * 64), {MISMATCH}),
    "signature twice": (authorization(lambda text: f"{text}, Signature={'0' * 64}"), {MISMATCH, MALFORMED}),
    "no signed headers": (authorization(lambda text: text.replace("host;", "", 1)), {"AccessDenied"}),
    "signed headers in other order": (authorization(exchanged), {MISMATCH}),
    "access key in small letters": (authorization(small), {"InvalidAccessKeyId"}),
    "another user's key": (authorization(lambda text: text.replace("DUCKETROOTACCESSKEY", ALICE.access)), {MISMATCH}),
    "date moved on": (later, {MISMATCH, MALFORMED}),
    "body changed": (body, {"XAmzContentSHA256Mismatch"}),
    "body declared unsigned": (changed("x-amz-content-sha256", UNSIGNED), {MISMATCH}),
    "body declared chunked": (changed("x-amz-content-sha256", STREAMING), {MISMATCH}),
    "body declared unsigned chunks": (changed("x-amz-content-sha256", UNSIGNED_TRAILER), {MISMATCH}),
    "both lengths": (lengths, {"BadRequest"}),
    "another method": (method("POST"), {MISMATCH, "MethodNotAllowed"}),
    "method in small letters": (method("put"), {"BadRequest", "MethodNotAllowed"}),
    "another key": (target("/key", "/yek"), {MISMATCH}),
    "another key by dots": (target("/key", "/x/../key"), {MISMATCH}),
    "another key by encoding twice": (target("/key", "/%256bey"), {MISMATCH}),
    "another key by a slash": (target("/key", "/key/"), {MISMATCH}),
    "parameter added": (target("/key", "/key?tagging"), {MISMATCH}),
}  # fmt: skip


@pytest.mark.parametrize("trick", HEADER_TRICKS)
def test_header(raw: Raw, s3: Any, bucket: str, trick: str) -> None:
    spoil, codes = HEADER_TRICKS[trick]
    request = put(raw, bucket)
    spoil(raw, request)
    answer = raw.send(request)
    assert answer.status in (400, 403, 405)
    assert answer.code in codes
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


QUERY_TRICKS: dict[str, tuple[Spoil, set[str]]] = {
    "expiry put off": (target("X-Amz-Expires=300", "X-Amz-Expires=3000"), {MISMATCH}),
    "expiry twice": (target("X-Amz-Expires=300", "X-Amz-Expires=300&X-Amz-Expires=3000"), {MISMATCH}),
    "algorithm none": (target("AWS4-HMAC-SHA256", "none"), {QUERY}),
    "parameters in small letters": (target("X-Amz-", "x-amz-"), {"AccessDenied"}),
    "parameter added": (target("X-Amz-Date", "response-content-type=text/html&X-Amz-Date"), {MISMATCH}),
    "header added as a parameter": (target("X-Amz-Date", "x-amz-copy-source=a&X-Amz-Date"), {MISMATCH}),
    "headers signed fewer": (target("X-Amz-SignedHeaders=host", "X-Amz-SignedHeaders=date"), {"AccessDenied"}),
    "another user's key": (target("DUCKETROOTACCESSKEY", ALICE.access), {MISMATCH}),
    "another key": (target("/key", "/other"), {MISMATCH}),
    "signature twice": (target("X-Amz-Signature=", "X-Amz-Signature=00&X-Amz-Signature="), {MISMATCH}),
    "encoded twice": (target("%2F", "%252F"), {QUERY}),
    "version 2 as well": (target("X-Amz-Date", "Signature=a&Expires=9&AWSAccessKeyId=a&X-Amz-Date"), {INVALID}),
    "put instead of get": (method("PUT"), {MISMATCH}),
}


@pytest.mark.parametrize("trick", QUERY_TRICKS)
def test_presigned(raw: Raw, bucket: str, trick: str) -> None:
    raw.put(f"/{bucket}/key", b"secret content")
    spoil, codes = QUERY_TRICKS[trick]
    request = raw.presign("GET", f"/{bucket}/key")
    spoil(raw, request)
    answer = raw.send(request)
    assert answer.code in codes
    assert b"secret content" not in answer.body


def test_a_query_in_other_order_is_the_same_request(raw: Raw, bucket: str) -> None:
    raw.put(f"/{bucket}/key", b"content")
    request = raw.presign("GET", f"/{bucket}/key")
    path, _, query = request.target.partition("?")
    request.target = f"{path}?{'&'.join(reversed(query.split('&')))}"
    assert raw.send(request).body == b"content"


def test_replayed_after_its_time(raw: Raw, bucket: str) -> None:
    earlier = replace(raw, signer=raw.signing(now=HOUR_AGO))
    assert earlier.send(put(earlier, bucket)).code == "RequestTimeTooSkewed"
    assert raw.send(earlier.presign("GET", f"/{bucket}/key", expires=3599)).code == "AccessDenied"


def test_signed_with_another_user_s_secret(raw: Raw, bucket: str) -> None:
    for keys in (Keys(raw.server.keys.access, ALICE.secret), Keys(ALICE.access, raw.server.keys.secret)):
        other = replace(raw, signer=raw.signing(keys=keys))
        assert other.send(put(other, bucket)).code == MISMATCH
        assert raw.send(other.presign("GET", f"/{bucket}/key")).code == MISMATCH


CHUNKS = [b"a" * 8192, b"b" * 8192, b"c" * 100]


def framed(raw: Raw, bucket: str) -> tuple[Request, list[bytes]]:
    """A chunked upload, and its frames as they are on the line."""
    request = raw.chunked(f"/{bucket}/key", CHUNKS)
    seed = request.headers["Authorization"][-64:]
    stamp = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    return request, frames(raw.signing(now=stamp), seed, CHUNKS)


def first_again(ours: list[bytes], others: list[bytes]) -> list[bytes]:
    return [ours[0], ours[0], *ours[2:]]


def of_another_upload(ours: list[bytes], others: list[bytes]) -> list[bytes]:
    return [ours[0], others[1], *ours[2:]]


def ended_early(ours: list[bytes], others: list[bytes]) -> list[bytes]:
    return [*ours[:2], *ours[3:]]


def signature_of_another(ours: list[bytes], others: list[bytes]) -> list[bytes]:
    return [ours[0], ours[1].replace(ours[1][21:85], ours[0][21:85]), *ours[2:]]


def cut_within(ours: list[bytes], others: list[bytes]) -> list[bytes]:
    return [ours[0], ours[1][:4000]]


def with_data_behind_the_end(ours: list[bytes], others: list[bytes]) -> list[bytes]:
    return [*ours, ours[0]]


TRICKS_WITH_CHUNKS = [
    first_again, of_another_upload, ended_early, signature_of_another, cut_within, with_data_behind_the_end
]  # fmt: skip


@pytest.mark.parametrize("trick", TRICKS_WITH_CHUNKS)
def test_chunks(raw: Raw, s3: Any, bucket: str, trick: Callable[[list[bytes], list[bytes]], list[bytes]]) -> None:
    request, ours = framed(raw, bucket)
    assert b"".join(ours) == request.body
    _, others = framed(replace(raw, signer=raw.signing(now=datetime.now(UTC) - timedelta(minutes=1))), bucket)
    request.body = b"".join(trick(ours, others))
    request.headers["Content-Length"] = str(len(request.body))
    assert raw.send(request).status in (400, 403)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)


@pytest.fixture(scope="module")
def hosted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Raw]:
    with running(tmp_path_factory.mktemp("hosts") / "data", "--domains", "s3.test", "--workers", "1") as server:
        raw = Raw(server)
        for name in ("ours", "theirs"):
            raw.put(f"/{name}")
            raw.put(f"/{name}/key", name.encode())
        yield raw


HOSTS = (
    {"Host": "theirs.s3.test"},
    {"X-Forwarded-Host": "theirs.s3.test"},
    {"Host": "s3.test"},
    {"Host": "x.s3.test.evil"},
)


@pytest.mark.parametrize("spoilt", HOSTS, ids=str)
def test_a_signature_for_one_bucket_s_host_opens_no_other(hosted: Raw, spoilt: dict[str, str]) -> None:
    for request in (
        hosted.prepare("GET", "/key", headers={"Host": "ours.s3.test"}),
        hosted.presign("GET", "/key", headers={"Host": "ours.s3.test"}),
    ):
        request.headers.update(spoilt)
        answer = hosted.send(request)
        assert (answer.status == 403 and answer.code == MISMATCH) or answer.body == b"ours"


def test_an_absolute_target_names_no_other_bucket(hosted: Raw) -> None:
    request = hosted.prepare("GET", "/key", headers={"Host": "ours.s3.test"})
    request.target = "http://theirs.s3.test" + encode_path("/key")
    assert hosted.send(request).body != b"theirs"


def test_what_is_behind_a_request_is_not_of_its_signer(raw: Raw, bucket: str) -> None:
    """A smuggled request has no signature of its own, and gets what those without one get."""
    smuggled = raw.plain("DELETE", f"/{bucket}").head()
    with raw.connect() as connection:
        connection.write(raw.prepare("GET", f"/{bucket}").head() + smuggled)
        seen = b""
        while b"</Error>" not in seen:
            piece = connection.line.recv(65536)
            assert piece
            seen += piece
    assert seen.startswith(b"HTTP/1.1 200")
    assert b"<Code>AccessDenied</Code>" in seen
    assert raw.head(f"/{bucket}").status == 200
