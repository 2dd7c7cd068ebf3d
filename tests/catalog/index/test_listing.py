"""Listings against a plain model, over keys that are hard to sort: long, nested, with NUL and 0xF4 in them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog import Catalog
from catalog.errors import BadVersionId
from catalog.records import Bucket, Origin, Upload, Version

ORIGIN = Origin()
LONG = ("k" * 480, "k" * 481, "k" * 960, "k" * 961, "k" * 1024, "k" * 479 + "é", "k" * 500 + "/a", "k" * 500 + "/b")
piece = st.sampled_from(["a", "b", "/", "//", "\0", "\x01", "é", "\U0010ffff", " ", *LONG])
keys = st.lists(piece, min_size=1, max_size=3).map("".join).filter(lambda key: len(key.encode()) <= 1024)


def draft() -> Version:
    return Version(0, "", 0, "e", 0, "STANDARD", "root")


def run(body: Callable[[Catalog, Bucket], Awaitable[None]]) -> None:
    async def main() -> None:
        catalog = Catalog.in_memory()
        try:
            bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
            await body(catalog, bucket)
        finally:
            await catalog.close()

    asyncio.run(main())


def expected(held: set[str], prefix: str, delimiter: str) -> list[tuple[str, bool]]:
    """Keys and common prefixes (True) in S3's order."""
    seen: dict[str, bool] = {}
    for key in held:
        if key.startswith(prefix):
            found = key.find(delimiter, len(prefix)) if delimiter else -1
            seen[key[: found + len(delimiter)] if found >= 0 else key] = found >= 0
    return sorted(seen.items(), key=lambda entry: entry[0].encode())


@settings(max_examples=60, deadline=None)
@given(st.sets(keys, max_size=12), keys.map(lambda key: key[:3]) | st.just(""), st.sampled_from(["", "/", "k", "//"]))
def test_pages_of_any_size_together_give_every_key_once(held: set[str], prefix: str, delimiter: str) -> None:
    async def body(catalog: Catalog, bucket: Bucket) -> None:
        await asyncio.gather(*[catalog.put(ORIGIN, bucket, key, draft()) for key in held])
        for limit in (1, 2, 1000):
            came: list[tuple[str, bool]] = []
            after, more = "", True
            while more:
                page = catalog.list_objects(bucket, prefix, delimiter, after, limit)
                both = [(key, False) for key in page.keys] + [(common, True) for common in page.prefixes]
                came += sorted(both, key=lambda entry: entry[0].encode())
                after, more = page.next, page.truncated
                assert len(both) <= limit
            assert came == expected(held, prefix, delimiter)

    run(body)


MANY = {f"{folder}/{number:03}" for folder in ("a", "b") for number in range(90)}
MANY |= {f"c{number:03}" for number in range(140)} | {f"d{number}/x" for number in range(40)} | {"b/045" + "k" * 600}
MANY |= {f"b/{number:03}/deep" for number in range(3)} | {"e\0", "e\0\1", "e&"}


@pytest.mark.parametrize("delimiter", ["", "/", "0"])
@pytest.mark.parametrize("prefix", ["", "a", "a/", "b/0", "c", "d1", "e", "nothing"])
async def test_pages_longer_than_what_is_read_at_once(
    catalog: Catalog, bucket: Bucket, prefix: str, delimiter: str
) -> None:
    await asyncio.gather(*[catalog.put(ORIGIN, bucket, key, draft()) for key in MANY])
    wanted = expected(MANY, prefix, delimiter)
    for limit in (1, 2, 31, 32, 33, 160, len(wanted) or 1, 1000):
        came: list[tuple[str, bool]] = []
        after, more = "", True
        while more:
            page = catalog.list_objects(bucket, prefix, delimiter, after, limit)
            both = [(key, False) for key in page.keys] + [(common, True) for common in page.prefixes]
            came += sorted(both, key=lambda entry: entry[0].encode())
            after, more = page.next, page.truncated
            assert not more or len(both) == limit
        assert came == wanted


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(keys, st.booleans()), max_size=14), st.sampled_from(["", "/"]), st.integers(1, 4))
def test_versions_come_newest_first_over_any_pages(writes: list[tuple[str, bool]], delimiter: str, limit: int) -> None:
    async def body(catalog: Catalog, bucket: Bucket) -> None:
        bucket = await catalog.update_bucket(
            ORIGIN, bucket.name, lambda held: msgspec.structs.replace(held, versioning="Enabled")
        )
        model: dict[str, list[str]] = {}
        for key, deletes in writes:
            if deletes:
                made = (await catalog.delete(ORIGIN, bucket, key)).version_id or ""
            else:
                made = (await catalog.put(ORIGIN, bucket, key, draft())).version_id
            model.setdefault(key, []).insert(0, made)
        wanted = []
        for name, common in expected(set(model), "", delimiter):
            for place, version_id in enumerate([""] if common else model[name]):
                wanted.append((name, version_id, place == 0 and not common))
        came = []
        key, version, more = "", "", True
        while more:
            page = catalog.list_versions(bucket, "", delimiter, key, version, limit)
            rows = [(held.key, held.version_id, held.latest) for held in page.items]
            rows += [(common, "", False) for common in page.prefixes]
            came += sorted(rows, key=lambda row: row[0].encode())
            key, version, more = page.next_key, page.next_version, page.truncated
        assert came == wanted

    run(body)


async def test_a_version_marker_that_never_was_one_is_refused(catalog: Catalog, bucket: Bucket) -> None:
    with pytest.raises(BadVersionId):
        catalog.list_versions(bucket, after_key="a", after_version="nonsense")


async def test_a_listing_goes_on_behind_a_version_that_is_gone(catalog: Catalog, bucket: Bucket) -> None:
    bucket = await catalog.update_bucket(
        ORIGIN, bucket.name, lambda held: msgspec.structs.replace(held, versioning="Enabled")
    )
    ids = [(await catalog.put(ORIGIN, bucket, "a", draft())).version_id for _ in range(4)]
    await catalog.delete(ORIGIN, bucket, "a", ids[3])
    page = catalog.list_versions(bucket, after_key="a", after_version=ids[3])
    assert [(version.version_id, version.latest) for version in page.items] == [
        (ids[2], True),
        (ids[1], False),
        (ids[0], False),
    ]


async def test_uploads_come_by_key_then_by_time(catalog: Catalog, bucket: Bucket) -> None:
    made = []
    for key in ("b", "a/1", "b", "a/2"):
        upload = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, key, 0, "root"))
        made.append((key, upload.upload_id))
    page = catalog.list_uploads(bucket)
    assert [(upload.key, upload.upload_id) for upload in page.items] == [made[1], made[3], made[0], made[2]]
    folded = catalog.list_uploads(bucket, delimiter="/")
    assert folded.prefixes == ["a/"]
    behind = catalog.list_uploads(bucket, after_key="b", after_upload=made[0][1])
    assert [upload.upload_id for upload in behind.items] == [made[2][1]]
    assert [upload.key for upload in catalog.list_uploads(bucket, after_key="a/2").items] == ["b", "b"]
