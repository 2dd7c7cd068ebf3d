from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from catalog import Catalog
from catalog.index import uploaded
from catalog.records import Bucket, Origin, Part, Piece, Upload

ORIGIN = Origin()
FIRST, SECOND = bytes(16), bytes(15) + b"\1"


def part(number: int, name: int) -> Part:
    return Part(number, 5, f"{name}", 0, Piece(5, blob=name.to_bytes(16, "big")))


@given(
    st.lists(st.integers(1, 70), max_size=40),
    st.integers(0, 80),
    st.integers(1, 50),
)
def test_any_parts_in_any_order(numbers: list[int], after: int, limit: int) -> None:
    catalog = Catalog.in_memory()
    held: dict[int, Part] = {}
    with catalog._index.write() as txn:
        uploaded.put(catalog._index, txn, SECOND, part(1, 99))
        for name, number in enumerate(numbers):
            assert uploaded.put(catalog._index, txn, FIRST, part(number, name)) == held.get(number)
            held[number] = part(number, name)
        in_order = [held[number] for number in sorted(held)]
        assert list(uploaded.every(catalog._index, txn, FIRST).parts()) == in_order
        behind = uploaded.behind(catalog._index, txn, FIRST, after, limit)
        assert behind == [each for each in in_order if each.number > after][:limit]
        assert all(uploaded.get(catalog._index, txn, FIRST, number) == held.get(number) for number in range(1, 71))
        assert uploaded.count(uploaded.drop(catalog._index, txn, FIRST)) == len(held)
        assert list(uploaded.every(catalog._index, txn, FIRST).parts()) == []
        assert list(uploaded.every(catalog._index, txn, SECOND).parts()) == [part(1, 99)]
    catalog.release()


async def test_equal_as_long_as_no_part_came(catalog: Catalog, bucket: Bucket) -> None:
    upload = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "k", 0, "root"))
    for number in range(1, 100):
        await catalog.put_part(ORIGIN, bucket, "k", upload.upload_id, part(number, number))
    seen = catalog.uploaded(bucket, "k", upload.upload_id)
    assert seen == catalog.uploaded(bucket, "k", upload.upload_id)
    await catalog.put_part(ORIGIN, bucket, "k", upload.upload_id, part(50, 50_000))
    now = catalog.uploaded(bucket, "k", upload.upload_id)
    assert seen != now
    assert [each.number for each in now.parts()] == list(range(1, 100))
