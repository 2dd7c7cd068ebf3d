from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog import Catalog, Grouped
from catalog.index import composed
from catalog.log import beginning
from catalog.records import Bucket, ObjectChanged, Origin, Part, Piece, Upload, Version, VersionUpdated

ORIGIN = Origin()
DRAFT = Version(0, "", 0, "e-1", 0, "STANDARD", "root")


def parts_of(sizes: list[int]) -> list[Part]:
    return [
        Part(3 * number, size, f"{number:032x}", 0, Piece(size, blob=number.to_bytes(16, "big")))
        for number, size in enumerate(sizes, 1)
    ]


async def stored(catalog: Catalog, sizes: list[int]) -> tuple[Bucket, Version]:
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    draft = msgspec.structs.replace(DRAFT, size=sum(sizes), parts=parts_of(sizes))
    await catalog.put(ORIGIN, bucket, "k", draft)
    return bucket, catalog.get(bucket, "k")


async def test_ten_thousand_parts_are_read_only_where_they_are_wanted(catalog: Catalog, decoded: list[int]) -> None:
    bucket, version = await stored(catalog, [10] * 10_000)
    assert version.part_count == 10_000
    assert decoded == []
    (group,) = catalog.parts_covering(version, 50_005, 10)
    assert group.start == 50_000
    assert group.parts()[:2] == catalog.object_parts(version, 5_000, 2).parts
    assert [group.start for group in catalog.parts_covering(version, 50_995, 10)] == [50_000, 51_000]
    decoded.clear()
    found = catalog.object_parts(version, 9_998, 1)
    assert (found.start, found.parts[0].number) == (99_980, 29_997)
    assert sum(decoded) == composed.GROUP
    with catalog._index.read() as txn:
        assert len(txn.get(b"\0" * 7 + b"\1k", db=catalog._index.objects)) < 200
    assert catalog.get(bucket, "k") == version


@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.data())
async def test_any_stretch_of_any_parts(sizes: list[int], data: st.DataObject) -> None:
    catalog = Catalog.in_memory()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(composed, "GROUP", data.draw(st.integers(1, 5), "a group"))
        _, version = await stored(catalog, sizes)
        parts = parts_of(sizes)
        after, limit = data.draw(st.integers(0, len(sizes))), data.draw(st.integers(1, 9))
        found = catalog.object_parts(version, after, limit)
        assert found.parts == parts[after : after + limit]
        assert not found.parts or found.start == sum(sizes[:after])
        if version.size:
            start = data.draw(st.integers(0, version.size - 1))
            length = data.draw(st.integers(1, version.size - start))
            covering = catalog.parts_covering(version, start, length)
            body = [part.number for part in parts for _ in range(part.size)]
            got = [part.number for group in covering for part in group.parts() for _ in range(part.size)]
            assert got[start - covering[0].start :][:length] == body[start : start + length]
            for group in covering:
                assert group.start < start + length
                assert group.start + sum(part.size for part in group.parts()) > start
    await catalog.close()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=250))
def test_parts_made_ready_are_kept_as_others_are(sizes: list[int]) -> None:
    catalog = Catalog.in_memory()
    kept = []
    for parts in (parts_of(sizes), Grouped(parts_of(sizes))):
        with catalog._index.write() as txn:
            composed.put(catalog._index, txn, msgspec.structs.replace(DRAFT, seq=7, parts=parts))
            with txn.cursor(db=catalog._index.composed) as cursor:
                kept.append([(key, bytes(group)) for key, group in cursor])
            composed.drop(catalog._index, txn, msgspec.structs.replace(DRAFT, seq=7, parts=len(sizes)))
    assert kept[0] == kept[1]
    assert len(kept[0]) == -(-len(sizes) // composed.GROUP)
    catalog.release()


async def test_parts_made_ready_are_in_the_log_as_others_are(catalog: Catalog) -> None:
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    await catalog.put(ORIGIN, bucket, "k", msgspec.structs.replace(DRAFT, size=6, parts=Grouped(parts_of([1, 2, 3]))))
    tail = catalog.tail()
    records, _ = tail.read(beginning(tail.catalog_id), tail.end(), 10)
    mutation = records[-1][1].mutation
    assert isinstance(mutation, ObjectChanged)
    assert mutation.put is not None
    assert mutation.put.parts == catalog.whole(catalog.get(bucket, "k")).parts == parts_of([1, 2, 3])


async def test_the_parts_go_with_their_version(catalog: Catalog) -> None:
    bucket, version = await stored(catalog, [1] * 250)
    dead: list[bytes] = []
    catalog.on_dead_blobs = dead.extend
    await catalog.put(ORIGIN, bucket, "k", DRAFT)
    assert sorted(dead) == [number.to_bytes(16, "big") for number in range(1, 251)]
    for read in (
        lambda: catalog.whole(version),
        lambda: catalog.object_parts(version, 0, 1),
        lambda: catalog.parts_covering(version, 0, 1),
    ):
        with pytest.raises(FileNotFoundError):
            read()
    with catalog._index.read() as txn:
        assert not txn.stat(catalog._index.composed)["entries"]


async def test_a_version_given_new_tags_keeps_its_parts_in_the_log(catalog: Catalog) -> None:
    bucket, version = await stored(catalog, [1, 2, 3])
    await catalog.update_version(ORIGIN, bucket, "k", None, lambda held: msgspec.structs.replace(held, tags={"a": "b"}))
    tail = catalog.tail()
    records, _ = tail.read(beginning(tail.catalog_id), tail.end(), 10)
    mutation = records[-1][1].mutation
    assert isinstance(mutation, VersionUpdated)
    assert mutation.version.parts == catalog.whole(version).parts == parts_of([1, 2, 3])
    assert catalog.get(bucket, "k").parts == 3


async def test_completing_an_upload_counts_the_bodies_of_its_parts_once(catalog: Catalog) -> None:
    bucket = await catalog.create_bucket(ORIGIN, "a-bucket", "root", "us-east-1")
    dead: list[bytes] = []
    catalog.on_dead_blobs = dead.extend
    upload = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "k", 0, "root"))
    for part in parts_of([5, 6, 7]):
        await catalog.put_part(ORIGIN, bucket, "k", upload.upload_id, part)
    parts = catalog.parts(bucket, "k", upload.upload_id)
    draft = msgspec.structs.replace(DRAFT, parts=[parts[0], parts[2]])
    await catalog.put(ORIGIN, bucket, "k", draft, upload_id=upload.upload_id)
    assert dead == [(2).to_bytes(16, "big")]
    await catalog.delete(ORIGIN, bucket, "k")
    assert dead == [number.to_bytes(16, "big") for number in (2, 1, 3)]
