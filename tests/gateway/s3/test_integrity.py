"""The digests of a document that was read whole."""

from __future__ import annotations

import hashlib
import zlib
from base64 import b64encode

import pytest
from awscrt import checksums

from gateway.s3.integrity import compile_verify

DOCUMENT = b"<Delete><Object><Key>k</Key></Object></Delete>"
DIGESTS = {
    "content-md5": hashlib.md5(DOCUMENT).digest(),
    "x-amz-checksum-crc32": zlib.crc32(DOCUMENT).to_bytes(4, "big"),
    "x-amz-checksum-crc32c": checksums.crc32c(DOCUMENT).to_bytes(4, "big"),
    "x-amz-checksum-crc64nvme": checksums.crc64nvme(DOCUMENT).to_bytes(8, "big"),
    "x-amz-checksum-md5": hashlib.md5(DOCUMENT).digest(),
    "x-amz-checksum-sha1": hashlib.sha1(DOCUMENT).digest(),
    "x-amz-checksum-sha256": hashlib.sha256(DOCUMENT).digest(),
    "x-amz-checksum-sha512": hashlib.sha512(DOCUMENT).digest(),
    "x-amz-checksum-xxhash64": bytes(checksums.XXHash.compute_xxhash64(DOCUMENT)),
    "x-amz-checksum-xxhash3": bytes(checksums.XXHash.compute_xxhash3_64(DOCUMENT)),
    "x-amz-checksum-xxhash128": bytes(checksums.XXHash.compute_xxhash3_128(DOCUMENT)),
}

required = compile_verify(required=True, of_object=False)


def verify(document: bytes, headers: dict[str, str], trailers: dict[str, str] | None = None) -> None:
    required(document, headers, trailers or {})


@pytest.mark.parametrize("header", DIGESTS)
def test_the_right_digest(header):
    verify(DOCUMENT, {header: b64encode(DIGESTS[header]).decode()})


@pytest.mark.parametrize("header", DIGESTS)
def test_another_digest(refused, header):
    error = refused(verify, DOCUMENT + b" ", {header: b64encode(DIGESTS[header]).decode()})
    assert (error.code, error.status) == ("BadDigest", 400)


@pytest.mark.parametrize("value", ["", "AAAA", "not base64", "é"])
@pytest.mark.parametrize("header", DIGESTS)
def test_what_is_no_digest(refused, header, value):
    error = refused(verify, DOCUMENT, {header: value})
    assert error.code == ("InvalidDigest" if header == "content-md5" else "InvalidRequest")


def test_both_must_be_right(refused):
    headers = {header: b64encode(DIGESTS[header]).decode() for header in ("content-md5", "x-amz-checksum-crc32")}
    verify(DOCUMENT, headers)
    assert refused(verify, DOCUMENT, headers | {"x-amz-checksum-crc32": "AAAAAA=="}).code == "BadDigest"


def test_an_algorithm_nobody_computes_here(refused):
    error = refused(verify, DOCUMENT, {"x-amz-checksum-adler32": "AAAAAAAAAAA="})
    assert error.code == "InvalidRequest"
    assert error.message == "The algorithm type you specified in x-amz-checksum- header is invalid."


def test_one_checksum_at_most(refused):
    headers = {"x-amz-checksum-crc32": "AAAAAA==", "x-amz-checksum-sha1": "AAAAAA=="}
    assert refused(verify, DOCUMENT, headers).message.startswith("Expecting a single x-amz-checksum- header.")


def test_a_digest_is_required(refused):
    error = refused(verify, DOCUMENT, {"x-amz-checksum-algorithm": "CRC32", "x-amz-checksum-type": "COMPOSITE"})
    assert (error.code, error.message) == (
        "InvalidRequest",
        "Missing required header for this request: Content-MD5 OR x-amz-checksum-*",
    )
    assert refused(verify, DOCUMENT, {"x-amz-trailer": "x-amz-checksum-crc32"}).code == "InvalidRequest"
    compile_verify(required=False, of_object=False)(DOCUMENT, {}, {})


def test_the_checksum_of_the_object_is_not_that_of_the_document(refused):
    complete = compile_verify(required=False, of_object=True)
    complete(DOCUMENT, {"x-amz-checksum-crc32": "AAAAAA=="}, {})
    assert refused(complete, DOCUMENT, {"content-md5": "rL0Y20xC+Fzt72VPzMSk2A=="}, {}).code == "BadDigest"


@pytest.mark.parametrize("of_object", [False, True])
@pytest.mark.parametrize("name", [name for name in DIGESTS if name != "content-md5"])
def test_a_trailer_tells_of_the_document(refused, name, of_object):
    verify = compile_verify(required=True, of_object=of_object)
    trailers = {name: b64encode(DIGESTS[name]).decode()}
    headers = {"x-amz-trailer": name}
    verify(DOCUMENT, headers, trailers)
    assert refused(verify, DOCUMENT + b" ", headers, trailers).code == "BadDigest"
