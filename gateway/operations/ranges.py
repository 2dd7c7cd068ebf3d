"""Which bytes of an object a request asks for.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html and RFC 9110, section 14
"""

from __future__ import annotations

from dataclasses import dataclass

from catalog import Catalog
from catalog.records import Part, Version
from gateway.s3.errors import S3Error, invalid_argument

MAX_PARTS = 10_000
BYTES = "bytes="


@dataclass(slots=True)
class Selection:
    """`partial` if the answer is a 206; `part` is the part that was asked for by number, of those the object has."""

    start: int
    length: int
    partial: bool = False
    part: Part | None = None


def select(catalog: Catalog, version: Version, header: str | None, part_number: int | None) -> Selection:
    if part_number is not None:
        if header is not None:
            raise S3Error("InvalidRequest", "Cannot specify both Range header and partNumber query parameter")
        return select_part(catalog, version, part_number)
    if header is None:
        return Selection(0, version.size)
    return select_range(header, version.size)


def select_range(header: str, size: int) -> Selection:
    """What S3 cannot read as one range it ignores: another unit, several ranges, the last byte before the first."""
    first, dash, last = header.removeprefix(BYTES).partition("-")
    whole = Selection(0, size)
    if not header.startswith(BYTES) or not dash or not _digits(first) or not _digits(last):
        return whole
    if not first:
        if not last or (size == 0 and int(last)):
            return whole
        length = min(int(last), size)
        if not length:
            raise unsatisfiable(header, size)
        return Selection(size - length, length, partial=True)
    start = int(first)
    if last and int(last) < start:
        return whole
    if start >= size:
        raise unsatisfiable(header, size)
    end = min(int(last), size - 1) if last else size - 1
    return Selection(start, end - start + 1, partial=True)


def select_part(catalog: Catalog, version: Version, number: int) -> Selection:
    """An object that was not uploaded in parts is its own part 1. FileNotFoundError: look the object up again."""
    check_part_number(number)
    count = parts_of(version) or 1
    if number > count:
        fields = {"ActualPartCount": str(count), "PartNumberRequested": str(number)}
        raise S3Error("InvalidPartNumber", fields=fields)
    if not parts_of(version):
        return Selection(0, version.size, partial=version.size > 0)
    found = catalog.object_parts(version, number - 1, 1)
    (part,) = found.parts
    return Selection(found.start, part.size, partial=part.size > 0, part=part)


def parts_of(version: Version) -> int:
    """How many parts it was uploaded in. A copy shares the parts' bodies without being a multipart object itself."""
    return version.part_count if "-" in version.etag else 0


def copy_range(header: str | None, size: int) -> Selection:
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html"""
    if header is None:
        return Selection(0, size)
    first, dash, last = header.removeprefix(BYTES).partition("-")
    well_formed = header.startswith(BYTES) and dash and first and last and _digits(first) and _digits(last)
    if not well_formed or int(last) < int(first):
        raise invalid_argument(
            "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the"
            " zero-based offsets of the first and last bytes to copy",
            "x-amz-copy-source-range",
            header,
        )
    start, end = int(first), int(last)
    if start >= size:
        raise S3Error("InvalidRequest", "The specified copy range is invalid for the source object size")
    if end >= size:
        message = f"Range specified is not valid for source object of size: {size}"
        raise invalid_argument(message, "x-amz-copy-source-range", header)
    return Selection(start, end - start + 1, partial=True)


def check_part_number(number: int) -> None:
    if not 1 <= number <= MAX_PARTS:
        raise invalid_argument(
            "Part number must be an integer between 1 and 10000, inclusive", "partNumber", str(number)
        )


def unsatisfiable(header: str, size: int) -> S3Error:
    fields = {"RangeRequested": header, "ActualObjectSize": str(size)}
    return S3Error("InvalidRange", fields=fields, headers={"content-range": f"bytes */{size}"})


def _digits(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit() and len(text) < 20)
