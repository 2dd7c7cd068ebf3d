from __future__ import annotations

from base64 import b64encode

import pytest

from catalog.records import Checksum, Part
from gateway.blobs import digest
from gateway.operations.checksums import (
    ALGORITHMS,
    COMPOSITE,
    FULL_OBJECT,
    MEMBERS,
    encode,
    etag_of_parts,
    promised,
    read_algorithm,
    read_kind,
    shown,
    whole_of_parts,
)
from gateway.s3.errors import S3Error
from gateway.s3.model import operations
from gateway.s3.quirks import GROUPS

BODY = b"123456789"
CRC32 = encode(digest("CRC32", BODY))
MD5 = encode(digest("MD5", BODY))


def digests(*names: str) -> dict[str, bytes]:
    return {name: digest(name, BODY) for name in names}


def code(error: pytest.ExceptionInfo[S3Error]) -> tuple[str, str]:
    return error.value.code, error.value.message


def test_every_algorithm_of_the_service_model_is_computed() -> None:
    from botocore.session import Session

    shape = Session().get_service_model("s3").shape_for("ChecksumAlgorithm")
    assert set(shape.enum) == set(MEMBERS) == set(ALGORITHMS)
    assert len(GROUPS["checksums"]) == len(MEMBERS)
    assert operations["PutObject"].name == "PutObject"


@pytest.mark.parametrize("algorithm", MEMBERS)
def test_a_checksum_that_holds(algorithm: str) -> None:
    promise = promised({MEMBERS[algorithm]: encode(digest(algorithm, BODY))}, None, MD5, None)
    assert promise.algorithm == algorithm
    promise.verify(digests("MD5", algorithm), {})


def test_a_checksum_that_does_not_hold() -> None:
    promise = promised({"checksum_crc32": encode(digest("CRC32", b"x"))}, "CRC32", None, None)
    with pytest.raises(S3Error) as refused:
        promise.verify(digests("MD5", "CRC32"), {})
    assert code(refused) == ("BadDigest", "The CRC32 you specified did not match the calculated checksum.")


def test_a_content_md5_that_does_not_hold() -> None:
    with pytest.raises(S3Error, match="BadDigest"):
        promised({}, None, encode(digest("MD5", b"x")), None).verify(digests("MD5"), {})


@pytest.mark.parametrize("text", ["", "x", "AAAA", "!" * 24])
def test_a_malformed_content_md5(text: str) -> None:
    with pytest.raises(S3Error) as refused:
        promised({}, None, text, None)
    assert refused.value.code == "InvalidDigest"
    assert refused.value.fields == {"Content-MD5": text}


@pytest.mark.parametrize("text", ["", "bad", MD5])
def test_a_malformed_checksum(text: str) -> None:
    with pytest.raises(S3Error) as refused:
        promised({"checksum_crc32": text}, None, None, None)
    assert code(refused) == ("InvalidRequest", "Value for x-amz-checksum-crc32 header is invalid.")


def test_two_checksums() -> None:
    with pytest.raises(S3Error) as refused:
        promised({"checksum_crc32": CRC32, "checksum_md5": MD5}, None, None, None)
    assert "Expecting a single" in refused.value.message


def test_a_checksum_in_the_trailer() -> None:
    promise = promised({}, "CRC32", None, "x-amz-checksum-crc32")
    promise.verify(digests("MD5", "CRC32"), {"x-amz-checksum-crc32": CRC32})
    with pytest.raises(S3Error, match="BadDigest"):
        promise.verify(digests("MD5", "CRC32"), {"x-amz-checksum-crc32": "AAAAAA=="})
    with pytest.raises(S3Error, match="InvalidRequest"):
        promise.verify(digests("MD5", "CRC32"), {"x-amz-checksum-crc32": "bad"})
    with pytest.raises(S3Error, match="MalformedTrailerError"):
        promise.verify(digests("MD5", "CRC32"), {})


def test_a_checksum_in_header_and_trailer() -> None:
    with pytest.raises(S3Error, match="Expecting a single"):
        promised({"checksum_crc32": CRC32}, None, None, "x-amz-checksum-crc32")


def test_an_sdk_algorithm_without_its_checksum() -> None:
    with pytest.raises(S3Error, match="no corresponding"):
        promised({}, "CRC32", None, None)


@pytest.mark.parametrize("trailer", [None, "x-amz-checksum-sha1"])
def test_an_sdk_algorithm_that_is_another(trailer: str | None) -> None:
    with pytest.raises(S3Error, match="x-amz-sdk-checksum-algorithm"):
        promised({} if trailer else {"checksum_md5": MD5}, "CRC32", None, trailer)


def test_algorithms_in_any_case() -> None:
    assert read_algorithm("crc32c") == "CRC32C"
    assert read_algorithm(None) == ""
    with pytest.raises(S3Error, match="InvalidRequest"):
        read_algorithm("CRC16")


@pytest.mark.parametrize(
    ("algorithm", "kind", "chosen"),
    [
        ("CRC32", None, COMPOSITE),
        ("CRC32", FULL_OBJECT, FULL_OBJECT),
        ("CRC64NVME", None, FULL_OBJECT),
        ("SHA256", None, COMPOSITE),
        ("", None, ""),
    ],
)
def test_the_type_of_an_uploads_checksum(algorithm: str, kind: str | None, chosen: str) -> None:
    assert read_kind(algorithm, kind) == chosen


@pytest.mark.parametrize(("algorithm", "kind"), [("SHA256", FULL_OBJECT), ("CRC64NVME", COMPOSITE), ("", COMPOSITE)])
def test_types_that_do_not_go_with_the_algorithm(algorithm: str, kind: str) -> None:
    with pytest.raises(S3Error, match="InvalidRequest"):
        read_kind(algorithm, kind)


def parts(algorithm: str, *bodies: bytes) -> list[Part]:
    return [
        Part(
            number, len(body), digest("MD5", body).hex(), 0, None, Checksum(algorithm, encode(digest(algorithm, body)))
        )
        for number, body in enumerate(bodies, 1)
    ]


def test_the_whole_checksum_from_those_of_parts() -> None:
    whole = whole_of_parts("CRC64NVME", FULL_OBJECT, parts("CRC64NVME", b"1234", b"56789"))
    assert whole == Checksum("CRC64NVME", encode(digest("CRC64NVME", BODY)))


def test_the_composite_checksum_from_those_of_parts() -> None:
    whole = whole_of_parts("SHA256", COMPOSITE, parts("SHA256", b"1234", b"56789"))
    expected = digest("SHA256", digest("SHA256", b"1234") + digest("SHA256", b"56789"))
    assert whole == Checksum("SHA256", encode(expected), COMPOSITE)
    assert shown(whole, 2) == {"checksum_sha256": f"{b64encode(expected).decode()}-2", "checksum_type": COMPOSITE}


def test_the_etag_of_parts() -> None:
    expected = digest("MD5", digest("MD5", b"1234") + digest("MD5", b"56789")).hex()
    assert etag_of_parts(parts("CRC32", b"1234", b"56789"), 2) == f"{expected}-2"
