from __future__ import annotations

import pytest

from catalog import Catalog
from catalog.records import Origin, Part, Version
from gateway.operations.ranges import copy_range, select, select_range
from gateway.s3.errors import S3Error


async def stored(catalog: Catalog, draft: Version) -> Version:
    bucket = await catalog.create_bucket(Origin(), "b", "owner", "us-east-1")
    await catalog.put(Origin(), bucket, "k", draft)
    return catalog.get(bucket, "k")


def version(size: int, part_sizes: tuple[int, ...] = (), etag: str = "0" * 32) -> Version:
    parts = [Part(number, part, "", 0, None) for number, part in enumerate(part_sizes, 1)]
    return Version(1, "null", 0, etag, size, "STANDARD", "", parts=parts or None)


@pytest.mark.parametrize(
    ("header", "start", "length"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=2-4", 2, 3),
        ("bytes=9-", 9, 1),
        ("bytes=0-99", 0, 10),
        ("bytes=-3", 7, 3),
        ("bytes=-99", 0, 10),
    ],
)
def test_one_range_of_ten_bytes(header: str, start: int, length: int) -> None:
    chosen = select_range(header, 10)
    assert (chosen.start, chosen.length, chosen.partial) == (start, length, True)


@pytest.mark.parametrize(
    "header",
    [
        "bytes=4-2",
        "bytes=0-1,3-4",
        "bytes=-",
        "bytes=a-b",
        "bytes 0-1",
        "lines=0-1",
        "bytes=1",
        "bytes=+1-2",
        "bytes=-²",
    ],
)
def test_what_is_no_single_range_is_passed_over(header: str) -> None:
    chosen = select_range(header, 10)
    assert (chosen.start, chosen.length, chosen.partial) == (0, 10, False)


@pytest.mark.parametrize(
    ("header", "size"), [("bytes=10-", 10), ("bytes=10-12", 10), ("bytes=-0", 10), ("bytes=0-", 0)]
)
def test_a_range_of_no_byte_is_refused(header: str, size: int) -> None:
    with pytest.raises(S3Error) as refused:
        select_range(header, size)
    assert refused.value.code == "InvalidRange"
    assert refused.value.status == 416
    assert refused.value.fields == {"RangeRequested": header, "ActualObjectSize": str(size)}
    assert refused.value.headers == {"content-range": f"bytes */{size}"}


def test_the_end_of_an_empty_object_is_all_of_it() -> None:
    assert not select_range("bytes=-5", 0).partial


async def test_a_part_by_its_number(catalog: Catalog) -> None:
    chosen = select(catalog, await stored(catalog, version(10, (4, 4, 2), "abc-3")), None, 2)
    assert (chosen.start, chosen.length, chosen.partial) == (4, 4, True)
    assert chosen.part is not None
    assert chosen.part.number == 2


def test_an_object_that_was_not_uploaded_in_parts_is_its_part_1(catalog: Catalog) -> None:
    chosen = select(catalog, version(10), None, 1)
    assert (chosen.start, chosen.length, chosen.partial, chosen.part) == (0, 10, True, None)


def test_a_copy_that_shares_parts_has_one_part(catalog: Catalog) -> None:
    assert select(catalog, version(10, (4, 4, 2)), None, 1).length == 10
    with pytest.raises(S3Error, match="InvalidPartNumber"):
        select(catalog, version(10, (4, 4, 2)), None, 2)


def test_a_part_beyond_the_last(catalog: Catalog) -> None:
    with pytest.raises(S3Error) as refused:
        select(catalog, version(10, (4, 6), "abc-2"), None, 3)
    assert refused.value.status == 416
    assert refused.value.fields == {"ActualPartCount": "2", "PartNumberRequested": "3"}


def test_a_range_and_a_part_at_once(catalog: Catalog) -> None:
    with pytest.raises(S3Error, match="InvalidRequest"):
        select(catalog, version(10), "bytes=0-1", 1)


def test_the_range_of_a_copied_part() -> None:
    chosen = copy_range("bytes=0-4", 5)
    assert (chosen.start, chosen.length) == (0, 5)
    assert copy_range(None, 5).length == 5


@pytest.mark.parametrize(
    "header",
    ["0-2", "bytes=0", "bytes=hello-world", "bytes=0-bar", "bytes=hello-", "bytes=0-2,3-5", "bytes=3-2", "bytes=-2"],
)
def test_a_copied_part_wants_both_ends(header: str) -> None:
    with pytest.raises(S3Error, match="InvalidArgument"):
        copy_range(header, 5)


def test_the_range_of_a_copied_part_must_lie_in_the_source() -> None:
    with pytest.raises(S3Error, match="InvalidArgument"):
        copy_range("bytes=0-5", 5)
    with pytest.raises(S3Error, match="InvalidRequest"):
        copy_range("bytes=5-5", 5)
