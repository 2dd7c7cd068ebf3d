"""The five ways to say what the body is, and each way a body can belie it.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from typing import Any

import pytest

from conformance.content import ALGORITHMS, MIB, checksum, noise
from conformance.raw import Answer, Raw, Request
from conformance.signing import STREAMING, UNSIGNED, UNSIGNED_TRAILER

BODY = noise(3 * 65536 + 100)


def cut(body: bytes, size: int = 65536) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def crc(body: bytes) -> dict[str, str]:
    return {"x-amz-checksum-crc32": checksum("CRC32", body)}


def makings(raw: Raw, path: str, body: bytes) -> Iterator[tuple[str, Request]]:
    yield "literal", raw.prepare("PUT", path, body=body)
    yield "unsigned", raw.prepare("PUT", path, body=body, payload=UNSIGNED)
    yield "chunked", raw.chunked(path, cut(body))
    yield "chunked with trailer", raw.chunked(path, cut(body), crc(body))
    yield "chunked unsigned with trailer", raw.chunked(path, cut(body), crc(body), signed=False)


MODES = ["literal", "unsigned", "chunked", "chunked with trailer", "chunked unsigned with trailer"]
CHUNKED = MODES[2:]


def make(raw: Raw, mode: str, path: str, body: bytes = BODY) -> Request:
    return dict(makings(raw, path, body))[mode]


def refused(raw: Raw, path: str, request: Request, *codes: str) -> Answer:
    """Sends what must be refused, and sees that nothing of it stayed."""
    request.headers["Content-Length"] = str(len(request.body))
    answer = raw.send(request)
    assert answer.code in codes, answer.body
    assert 400 <= answer.status < 500
    assert raw.head(path).status == 404
    return answer


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 2 * MIB])
def test_body_comes_back_whole(raw: Raw, bucket: str, mode: str, size: int) -> None:
    answer = raw.send(make(raw, mode, f"/{bucket}/key", noise(size)))
    assert answer.status == 200, answer.body
    assert raw.get(f"/{bucket}/key").body == noise(size)


@pytest.mark.parametrize("mode", MODES)
def test_wherever_the_network_cuts_it(raw: Raw, bucket: str, mode: str) -> None:
    dice = random.Random(mode)
    body = noise(20_000)
    request = make(raw, mode, f"/{bucket}/key", body)
    with raw.connect() as connection:
        for sizes in (itertools.repeat(1, 200), (dice.randrange(1, 400) for _ in range(60))):
            connection.write(request.head())
            connection.write_slowly(request.body, sizes)
            assert connection.answer("PUT").status == 200
    assert raw.get(f"/{bucket}/key").body == body


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
def test_trailer_of_each_algorithm(raw: Raw, bucket: str, algorithm: str, signed: bool) -> None:
    name, value = f"x-amz-checksum-{algorithm.lower()}", checksum(algorithm, BODY)
    request = raw.chunked(f"/{bucket}/key", cut(BODY), {name: value}, signed=signed)
    answer = raw.send(request)
    assert (answer.status, answer.header(name)) == (200, value)
    head = raw.head(f"/{bucket}/key", headers={"x-amz-checksum-mode": "ENABLED"})
    assert head.header(name) == value


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
def test_trailer_that_is_wrong(raw: Raw, bucket: str, signed: bool) -> None:
    path = f"/{bucket}/key"
    refused(raw, path, raw.chunked(path, cut(BODY), crc(b"else"), signed=signed), "BadDigest")


@pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
def test_trailer_that_was_announced_and_did_not_come(raw: Raw, bucket: str, signed: bool) -> None:
    path = f"/{bucket}/key"
    request = raw.chunked(path, cut(BODY), crc(BODY), signed=signed)
    request.body = request.body.partition(b"x-amz-checksum")[0] + b"\r\n"
    refused(raw, path, request, "MalformedTrailerError", "IncompleteBody", "SignatureDoesNotMatch")


def test_trailer_that_was_not_announced(raw: Raw, bucket: str) -> None:
    path = f"/{bucket}/key"
    request = raw.chunked(path, cut(BODY), crc(BODY), signed=False)
    request.body = request.body.replace(b"x-amz-checksum-crc32:", b"x-amz-checksum-sha1:")
    refused(raw, path, request, "MalformedTrailerError", "InvalidRequest")


def test_trailer_signature_that_is_wrong(raw: Raw, bucket: str) -> None:
    path = f"/{bucket}/key"
    request = raw.chunked(path, cut(BODY), crc(BODY))
    head, mark, _ = request.body.partition(b"x-amz-trailer-signature:")
    request.body = head + mark + b"0" * 64 + b"\r\n\r\n"
    refused(raw, path, request, "SignatureDoesNotMatch")


def test_trailer_signature_left_out(raw: Raw, bucket: str) -> None:
    path = f"/{bucket}/key"
    request = raw.chunked(path, cut(BODY), crc(BODY))
    request.body = request.body.partition(b"x-amz-trailer-signature:")[0] + b"\r\n"
    refused(raw, path, request, "SignatureDoesNotMatch", "MalformedTrailerError", "IncompleteBody")


@pytest.mark.parametrize("which", [0, 1, 3, 4], ids=["first", "second", "last", "empty one at the end"])
@pytest.mark.parametrize("mode", ["chunked", "chunked with trailer"])
def test_chunk_signature_that_is_wrong(raw: Raw, bucket: str, mode: str, which: int) -> None:
    path = f"/{bucket}/key"
    request = make(raw, mode, path)
    pieces = request.body.split(b"chunk-signature=")
    pieces[which + 1] = b"0" * 64 + pieces[which + 1][64:]
    request.body = b"chunk-signature=".join(pieces)
    refused(raw, path, request, "SignatureDoesNotMatch")


@pytest.mark.parametrize("mode", CHUNKED)
def test_chunk_that_was_changed(raw: Raw, bucket: str, mode: str) -> None:
    path = f"/{bucket}/key"
    request = make(raw, mode, path)
    middle = len(request.body) // 2
    flipped = bytes([request.body[middle] ^ 1])
    request.body = request.body[:middle] + flipped + request.body[middle + 1 :]
    refused(raw, path, request, "SignatureDoesNotMatch", "BadDigest")


def test_chunks_that_changed_places(raw: Raw, bucket: str) -> None:
    path = f"/{bucket}/key"
    first, second = noise(65536, 1), noise(65536, 2)
    request = raw.chunked(path, [first, second])
    size = len(request.body.partition(b"\r\n")[0]) + 2 + 65536 + 2
    request.body = request.body[size : 2 * size] + request.body[:size] + request.body[2 * size :]
    refused(raw, path, request, "SignatureDoesNotMatch")


@pytest.mark.parametrize("mode", CHUNKED)
@pytest.mark.parametrize("length", [len(BODY) - 1, len(BODY) + 1, 0])
def test_decoded_length_that_is_wrong(raw: Raw, bucket: str, mode: str, length: int) -> None:
    path = f"/{bucket}/key"
    request = make(raw, mode, path)
    signed = raw.prepare(
        "PUT",
        path,
        headers={
            name: str(length) if name == "x-amz-decoded-content-length" else value
            for name, value in request.headers.items()
            if name in ("Content-Encoding", "x-amz-decoded-content-length", "x-amz-trailer")
        },
        payload=request.headers["x-amz-content-sha256"],
    )
    signed.body = request.body
    if mode != "chunked unsigned with trailer":
        signature = signed.headers["Authorization"].rpartition("=")[2]
        assert signature not in request.headers["Authorization"]
    refused(raw, path, signed, "IncompleteBody", "SignatureDoesNotMatch", "InvalidRequest")


@pytest.mark.parametrize("payload", [STREAMING, UNSIGNED_TRAILER])
def test_decoded_length_is_required(raw: Raw, bucket: str, payload: str) -> None:
    path = f"/{bucket}/key"
    request = raw.prepare("PUT", path, headers={"Content-Encoding": "aws-chunked"}, payload=payload)
    request.body = b"0\r\n\r\n"
    answer = refused(raw, path, request, "MissingContentLength")
    assert answer.status == 411


@pytest.mark.parametrize("mode", CHUNKED)
@pytest.mark.parametrize(
    "body",
    [b"", b"nonsense", b"zz\r\n", b"5\r\nhel", b"-5\r\nhello\r\n0\r\n\r\n", b"5\r\nhelloX\r\n0\r\n\r\n", b"f" * 5000],
)
def test_framing_that_is_none(raw: Raw, bucket: str, mode: str, body: bytes) -> None:
    path = f"/{bucket}/key"
    request = make(raw, mode, path, b"hello")
    request.body = body
    refused(
        raw,
        path,
        request,
        "IncompleteBody",
        "InvalidRequest",
        "SignatureDoesNotMatch",
        "MalformedTrailerError",
        "InvalidChunkSizeError",
    )


@pytest.mark.parametrize("mode", CHUNKED)
def test_missing_the_end(raw: Raw, bucket: str, mode: str) -> None:
    path = f"/{bucket}/key"
    request = make(raw, mode, path)
    request.body = request.body[: request.body.rindex(b"\r\n0") + 2]
    refused(raw, path, request, "IncompleteBody", "MalformedTrailerError")


def test_chunk_below_the_least_size_is_refused(raw: Raw, bucket: str) -> None:
    # Every chunk but the last holds 8 KiB at least.
    path = f"/{bucket}/key"
    refused(raw, path, raw.chunked(path, [b"a" * 100, b"b" * 100]), "InvalidChunkSizeError")


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_trailer_lines_end_either_way(raw: Raw, bucket: str, end: bytes) -> None:
    """AWS's own page shows a bare line feed, its SDKs send a carriage return too."""
    path = f"/{bucket}/key"
    request = raw.chunked(path, [b"hello"], crc(b"hello"), signed=False)
    head, mark, tail = request.body.partition(b"x-amz-checksum-crc32:")
    request.body = head + mark + tail.replace(b"\r\n\r\n", end + b"\r\n\r\n" if end == b"\n" else end + b"\r\n", 1)
    request.headers["Content-Length"] = str(len(request.body))
    assert raw.send(request).status == 200


@pytest.mark.parametrize("mode", ["unsigned", "chunked unsigned with trailer"])
def test_over_plain_http_unsigned_bodies_are_taken(raw: Raw, bucket: str, mode: str) -> None:
    assert raw.send(make(raw, mode, f"/{bucket}/key")).status == 200


def test_several_on_one_connection(raw: Raw, bucket: str) -> None:
    with raw.connect() as connection:
        for number, mode in enumerate(MODES * 2):
            answer = connection.exchange(make(raw, mode, f"/{bucket}/key-{number}"))
            assert answer.status == 200
    for number in range(len(MODES) * 2):
        assert raw.get(f"/{bucket}/key-{number}").body == BODY


DELETION = b"<Delete><Object><Key>key</Key></Object></Delete>"


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_document_with_its_checksum_in_a_trailer(raw: Raw, bucket: str, algorithm: str, signed: bool) -> None:
    name = f"x-amz-checksum-{algorithm.lower()}"
    raw.put(f"/{bucket}/key")
    for described, status in ((DELETION + b" ", 400), (DELETION, 200)):
        trailers = {name: checksum(algorithm, described)}
        request = raw.chunked(f"/{bucket}", [DELETION], trailers, query={"delete": ""}, signed=signed, method="POST")
        answer = raw.send(request)
        assert answer.status == status
        assert answer.code == ("BadDigest" if status == 400 else None)
    assert raw.head(f"/{bucket}/key").status == 404


def test_completion_with_its_checksum_in_a_trailer(raw: Raw, s3: Any, bucket: str) -> None:
    """The header of that name is the object's; the trailer is the document's."""
    upload = s3.create_multipart_upload(Bucket=bucket, Key="key")["UploadId"]
    part = s3.upload_part(Bucket=bucket, Key="key", UploadId=upload, PartNumber=1, Body=b"part")["ETag"]
    document = (
        f"<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>{part}</ETag></Part></CompleteMultipartUpload>"
    ).encode()
    for described, code in ((document + b" ", "BadDigest"), (document, None)):
        request = raw.chunked(
            f"/{bucket}/key", [document], crc(described), query={"uploadId": upload}, signed=False, method="POST"
        )
        assert raw.send(request).code == code
    assert raw.get(f"/{bucket}/key").body == b"part"
