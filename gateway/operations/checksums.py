"""The checksums a client sends, S3 verifies, stores and shows.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity-upload.html
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from catalog.records import Checksum, Part, Version
from gateway.blobs.digests import COMBINE, SIZES, combine_crc, digest
from gateway.s3.errors import S3Error
from gateway.s3.integrity import bad_md5, no_algorithm, several

DEFAULT = "CRC64NVME"  # what S3 computes when the client says nothing
FULL_OBJECT = "FULL_OBJECT"
COMPOSITE = "COMPOSITE"
ALGORITHMS = tuple(sorted(SIZES))
HEADER = "x-amz-checksum-"

# The service model's members, as keywords of an operation.
MEMBERS = {
    "CRC32": "checksum_crc32",
    "CRC32C": "checksum_crc32_c",
    "CRC64NVME": "checksum_crc64_nvme",
    "MD5": "checksum_md5",
    "SHA1": "checksum_sha1",
    "SHA256": "checksum_sha256",
    "SHA512": "checksum_sha512",
    "XXHASH64": "checksum_xxhash64",
    "XXHASH3": "checksum_xxhash3",
    "XXHASH128": "checksum_xxhash128",
}
BY_MEMBER = {member: algorithm for algorithm, member in MEMBERS.items()}

# Only a CRC of the whole can be had from those of the parts; a CRC64NVME always is one.
KINDS = {
    algorithm: (
        (FULL_OBJECT,) if algorithm == DEFAULT else (COMPOSITE, FULL_OBJECT) if algorithm in COMBINE else (COMPOSITE,)
    )
    for algorithm in MEMBERS
}


@dataclass(slots=True)
class Promise:
    """What a request says of its body's digests. `algorithm` "" means that none was chosen."""

    algorithm: str = ""
    value: bytes | None = None
    trailer: str | None = None  # the header that will follow the body with the value
    content_md5: bytes | None = None

    def verify(self, digests: Mapping[str, bytes], trailers: Mapping[str, str]) -> None:
        if self.content_md5 is not None and digests["MD5"] != self.content_md5:
            raise bad_md5(self.content_md5, digests["MD5"])
        value = self.value
        if self.trailer is not None:
            sent = trailers.get(self.trailer)
            if sent is None:
                raise S3Error("MalformedTrailerError")
            value = read_value(self.algorithm, sent, f"{self.trailer} trailing header")
        if value is not None and digests[self.algorithm] != value:
            raise bad_digest(self.algorithm)


def promised(
    checksums: Mapping[str, str | None],
    sdk_algorithm: str | None,
    content_md5: str | None,
    trailer: str | None,
) -> Promise:
    """`checksums` by member; `trailer` is the x-amz-trailer header. A request may promise one checksum at most."""
    md5 = read_content_md5(content_md5) if content_md5 is not None else None
    sent = [(BY_MEMBER[member], value) for member, value in checksums.items() if value is not None]
    if trailer is not None and trailer.lower().startswith(HEADER):
        return _promised_in_trailer(sent, sdk_algorithm, md5, trailer.lower())
    if not sent:
        if sdk_algorithm:
            raise S3Error(
                "InvalidRequest",
                "x-amz-sdk-checksum-algorithm specified, but no corresponding x-amz-checksum-* or x-amz-trailer"
                " headers were found.",
            )
        return Promise(content_md5=md5)
    if len(sent) > 1:
        raise several()
    algorithm, text = sent[0]
    _same(algorithm, sdk_algorithm)
    return Promise(algorithm, read_value(algorithm, text, f"{HEADER}{algorithm.lower()} header"), None, md5)


def _promised_in_trailer(
    sent: Sequence[tuple[str, str]], sdk_algorithm: str | None, md5: bytes | None, trailer: str
) -> Promise:
    if sent:
        raise several()
    algorithm = trailer.removeprefix(HEADER).upper()
    if algorithm not in MEMBERS:
        raise no_algorithm()
    _same(algorithm, sdk_algorithm)
    return Promise(algorithm, None, trailer, md5)


def read_value(algorithm: str, text: str, where: str) -> bytes:
    value = _decode(text, SIZES[algorithm])
    if value is None:
        raise S3Error("InvalidRequest", f"Value for {where} is invalid.")
    return value


def is_value(algorithm: str, text: str) -> bool:
    """Whether it could be a checksum by that algorithm."""
    return _decode(text, SIZES[algorithm]) is not None


def read_content_md5(text: str) -> bytes:
    value = _decode(text, 16)
    if value is None:
        raise S3Error("InvalidDigest", fields={"Content-MD5": text})
    return value


def read_algorithm(text: str | None) -> str:
    """The algorithm of an x-amz-checksum-algorithm header, in whatever case; "" when there is none."""
    algorithm = (text or "").upper()
    if algorithm and algorithm not in MEMBERS:
        raise S3Error(
            "InvalidRequest",
            "Checksum algorithm provided is unsupported. Please try again with any of the valid types: "
            f"[{', '.join(ALGORITHMS)}]",
        )
    return algorithm


def read_kind(algorithm: str, kind: str | None) -> str:
    """What an upload's checksum will be; by default composite, except for CRC64NVME, which cannot be."""
    if not algorithm:
        if kind:
            raise S3Error(
                "InvalidRequest",
                "The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.",
            )
        return ""
    if not kind:
        return KINDS[algorithm][0]
    if kind.upper() not in KINDS[algorithm]:
        raise S3Error(
            "InvalidRequest",
            f"The {kind.upper()} checksum type cannot be used with the {algorithm.lower()} checksum algorithm.",
        )
    return kind.upper()


def whole_of_parts(algorithm: str, kind: str, parts: Sequence[Part]) -> Checksum:
    """The checksum of a multipart object from those of its parts, whose bytes are not read again."""
    values = [(binascii.a2b_base64(part.checksum.value), part.size) for part in parts if part.checksum is not None]
    if kind == COMPOSITE:
        return Checksum(algorithm, encode(digest(algorithm, b"".join(value for value, _ in values))), kind)
    return Checksum(algorithm, encode(combine_crc(algorithm, values)), kind)


def etag_of_parts(parts: Iterable[Part], count: int) -> str:
    """S3's ETag of a multipart object: the MD5 of the parts' MD5s, and how many they are."""
    return f"{digest('MD5', bytes.fromhex(''.join([part.etag for part in parts]))).hex()}-{count}"


def shown(checksum: Checksum | None, parts: int | None = None) -> dict[str, Any]:
    """The members of an answer that bear a checksum; a composite one ends with the number of `parts`."""
    if checksum is None:
        return {}
    value = checksum.value
    if checksum.kind == COMPOSITE and parts is not None:
        value = f"{value}-{parts}"
    return {MEMBERS[checksum.algorithm]: value, "checksum_type": checksum.kind}


def shown_part(part: Part) -> dict[str, str]:
    """A part's checksum, for answers that have the type once for all parts."""
    return {MEMBERS[part.checksum.algorithm]: part.checksum.value} if part.checksum is not None else {}


def shown_of(version: Version) -> dict[str, Any]:
    return shown(version.checksum, version.part_count or None)


def encode(value: bytes) -> str:
    return b64encode(value).decode()


def bad_digest(algorithm: str) -> S3Error:
    return S3Error("BadDigest", f"The {algorithm} you specified did not match the calculated checksum.")


def _same(algorithm: str, sdk_algorithm: str | None) -> None:
    if sdk_algorithm and sdk_algorithm.upper() != algorithm:
        raise S3Error("InvalidRequest", "Value for x-amz-sdk-checksum-algorithm header is invalid.")


def _decode(text: str, size: int) -> bytes | None:
    try:
        value = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return value if len(value) == size else None
