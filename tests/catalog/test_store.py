from __future__ import annotations

import asyncio
from collections.abc import Callable

import msgspec
import pytest

from catalog import Catalog
from catalog.errors import (
    BadVersionId,
    BucketExists,
    BucketNotEmpty,
    IsDeleteMarker,
    NoBucket,
    NoObject,
    NoUpload,
    NoUser,
    NoVersion,
    PreconditionFailed,
    SourceChanged,
    UserExists,
)
from catalog.records import Bucket, Origin, Part, Piece, Upload, User, Version

ORIGIN = Origin("root", "127.0.0.1", "REQ")


def versioning(state: str) -> Callable[[Bucket], Bucket]:
    return lambda bucket: msgspec.structs.replace(bucket, versioning=state)


def only_new(current: Version | None) -> None:
    if current is not None:
        raise PreconditionFailed("If-None-Match")


def blob(number: int) -> Piece:
    return Piece(1 << 20, blob=number.to_bytes(16, "big"))


def ids(pieces: list[Piece]) -> list[bytes | None]:
    return [piece.blob for piece in pieces]


@pytest.fixture
def dead(catalog: Catalog) -> list[bytes]:
    found: list[bytes] = []
    catalog.on_dead_blobs = found.extend
    return found


async def test_a_small_body_is_read_back(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    put = await catalog.put(ORIGIN, bucket, "a", draft, b"hello")
    held = catalog.get(bucket, "a")
    assert held == put
    assert held.body is not None
    assert catalog.read(held.body) == b"hello"
    assert catalog.read(held.body, 1, 3) == b"ell"


async def test_of_many_racing_writers_exactly_one_is_first(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    writes = [catalog.put(ORIGIN, bucket, "a", draft, b"x%d" % number, check=only_new) for number in range(50)]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert sum(isinstance(result, Version) for result in results) == 1
    assert sum(isinstance(result, PreconditionFailed) for result in results) == 49


async def test_a_refused_write_leaves_no_number_behind(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    await catalog.put(ORIGIN, bucket, "a", draft)
    before = catalog.end()
    with pytest.raises(PreconditionFailed):
        await catalog.put(ORIGIN, bucket, "a", draft, b"y", check=only_new)
    assert catalog.end() == before


async def test_unversioned_overwrites_and_deletes_leave_nothing(
    catalog: Catalog, bucket: Bucket, draft: Version, dead: list[bytes]
) -> None:
    first, second = blob(1), blob(2)
    await catalog.put(ORIGIN, bucket, "a", msgspec.structs.replace(draft, body=first))
    await catalog.put(ORIGIN, bucket, "a", msgspec.structs.replace(draft, body=second))
    assert dead == ids([first])
    deleted = await catalog.delete(ORIGIN, bucket, "a")
    assert (deleted.version_id, deleted.delete_marker, deleted.existed) == (None, False, True)
    assert dead == ids([first, second])
    assert not (await catalog.delete(ORIGIN, bucket, "a")).existed
    with pytest.raises(NoObject):
        catalog.get(bucket, "a")


async def test_enabled_versioning_keeps_every_version(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    await catalog.put(ORIGIN, bucket, "a", draft, b"null")
    bucket = await catalog.update_bucket(ORIGIN, bucket.name, versioning("Enabled"))
    one = await catalog.put(ORIGIN, bucket, "a", draft, b"one")
    two = await catalog.put(ORIGIN, bucket, "a", draft, b"two")
    assert catalog.get(bucket, "a") == two
    assert catalog.get(bucket, "a", one.version_id) == one
    assert catalog.get(bucket, "a", "null").version_id == "null"
    marker = await catalog.delete(ORIGIN, bucket, "a")
    assert marker.delete_marker
    assert marker.version_id is not None
    with pytest.raises(NoObject) as hidden:
        catalog.get(bucket, "a")
    assert hidden.value.delete_marker == marker.version_id
    with pytest.raises(IsDeleteMarker):
        catalog.get(bucket, "a", marker.version_id)
    await catalog.delete(ORIGIN, bucket, "a", marker.version_id)
    assert catalog.get(bucket, "a") == two
    await catalog.delete(ORIGIN, bucket, "a", two.version_id)
    assert catalog.get(bucket, "a") == one
    await catalog.delete(ORIGIN, bucket, "a", one.version_id)
    assert catalog.get(bucket, "a").version_id == "null"
    assert [version.key for version in catalog.list_versions(bucket).items] == ["a"]


async def test_suspended_versioning_replaces_only_the_null_version(
    catalog: Catalog, bucket: Bucket, draft: Version, dead: list[bytes]
) -> None:
    pieces = [blob(number) for number in range(3)]
    drafts = [msgspec.structs.replace(draft, body=piece) for piece in pieces]
    await catalog.put(ORIGIN, bucket, "a", drafts[0])
    bucket = await catalog.update_bucket(ORIGIN, bucket.name, versioning("Enabled"))
    kept = await catalog.put(ORIGIN, bucket, "a", drafts[1])
    bucket = await catalog.update_bucket(ORIGIN, bucket.name, versioning("Suspended"))
    null = await catalog.put(ORIGIN, bucket, "a", drafts[2])
    assert dead == ids([pieces[0]])
    assert null.version_id == "null"
    deleted = await catalog.delete(ORIGIN, bucket, "a")
    assert deleted.version_id == "null"
    assert dead == ids([pieces[0], pieces[2]])
    rows = [(version.version_id, version.delete_marker) for version in catalog.list_versions(bucket).items]
    assert rows == [("null", True), (kept.version_id, False)]


async def test_a_copy_keeps_the_body_alive(catalog: Catalog, bucket: Bucket, draft: Version, dead: list[bytes]) -> None:
    piece = blob(7)
    source = await catalog.put(ORIGIN, bucket, "a", msgspec.structs.replace(draft, body=piece))
    await catalog.put(ORIGIN, bucket, "b", source, source=(bucket.id, "a", source))
    await catalog.put(ORIGIN, bucket, "a", source, source=(bucket.id, "a", source))
    await catalog.delete(ORIGIN, bucket, "a")
    assert dead == []
    assert catalog.blob_alive(piece.blob or b"")
    await catalog.delete(ORIGIN, bucket, "b")
    assert dead == ids([piece])


async def test_a_copy_of_what_ended_meanwhile_is_refused(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    source = await catalog.put(ORIGIN, bucket, "a", draft, b"hello")
    await catalog.delete(ORIGIN, bucket, "a")
    with pytest.raises(SourceChanged):
        await catalog.put(ORIGIN, bucket, "b", source, source=(bucket.id, "a", source))


async def test_completing_drops_the_parts_that_are_not_named(
    catalog: Catalog, bucket: Bucket, draft: Version, dead: list[bytes]
) -> None:
    upload = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "a", 0, "root"))
    pieces = [blob(number) for number in range(4)]
    for number, piece in enumerate(pieces[:3], 1):
        await catalog.put_part(ORIGIN, bucket, "a", upload.upload_id, Part(number, piece.size, "e", 0, piece))
    await catalog.put_part(ORIGIN, bucket, "a", upload.upload_id, Part(2, pieces[3].size, "e", 0, pieces[3]))
    assert dead == ids([pieces[1]])
    parts = catalog.parts(bucket, "a", upload.upload_id)
    assert [part.number for part in parts] == [1, 2, 3]
    whole = msgspec.structs.replace(draft, parts=parts[:2], upload_id=upload.upload_id)
    await catalog.put(ORIGIN, bucket, "a", whole, upload_id=upload.upload_id)
    assert dead == ids([pieces[1], pieces[2]])
    with pytest.raises(NoUpload):
        catalog.upload(bucket, "a", upload.upload_id)
    await catalog.delete(ORIGIN, bucket, "a")
    assert sorted(dead) == sorted(ids(pieces))  # type: ignore[type-var]


async def test_a_part_replaced_while_completing_is_noticed(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    upload = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "a", 0, "root"))
    await catalog.put_part(ORIGIN, bucket, "a", upload.upload_id, Part(1, 1, "e", 0, blob(1)))
    parts = catalog.parts(bucket, "a", upload.upload_id)
    await catalog.put_part(ORIGIN, bucket, "a", upload.upload_id, Part(1, 1, "e", 0, blob(2)))
    with pytest.raises(SourceChanged):
        await catalog.put(ORIGIN, bucket, "a", msgspec.structs.replace(draft, parts=parts), upload_id=upload.upload_id)


async def test_aborting_drops_every_part(catalog: Catalog, bucket: Bucket, dead: list[bytes]) -> None:
    upload = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, "a", 0, "root"))
    await catalog.put_part(ORIGIN, bucket, "a", upload.upload_id, Part(1, 1, "e", 0, blob(1)))
    await catalog.abort_upload(ORIGIN, bucket, "a", upload.upload_id)
    assert dead == ids([blob(1)])
    with pytest.raises(NoUpload):
        await catalog.put_part(ORIGIN, bucket, "a", upload.upload_id, Part(1, 1, "e", 0, blob(2)))


async def test_a_bucket_with_anything_in_it_stays(
    catalog: Catalog, bucket: Bucket, draft: Version, dead: list[bytes]
) -> None:
    bucket = await catalog.update_bucket(ORIGIN, bucket.name, versioning("Enabled"))
    key = "long/" + "x" * 1000
    version = await catalog.put(ORIGIN, bucket, key, draft)
    with pytest.raises(BucketNotEmpty):
        await catalog.delete_bucket(ORIGIN, bucket.name)
    await catalog.delete(ORIGIN, bucket, key, version.version_id)
    upload = await catalog.create_upload(ORIGIN, bucket, Upload("", 0, key, 0, "root"))
    await catalog.put_part(ORIGIN, bucket, key, upload.upload_id, Part(1, 1, "e", 0, blob(1)))
    await catalog.delete_bucket(ORIGIN, bucket.name)
    assert dead == ids([blob(1)])
    with pytest.raises(NoBucket):
        catalog.bucket(bucket.name)
    with pytest.raises(NoBucket):
        await catalog.put(ORIGIN, bucket, "a", draft)


async def test_a_bucket_made_again_is_another(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    with pytest.raises(BucketExists):
        await catalog.create_bucket(ORIGIN, bucket.name, "other", "us-east-1")
    await catalog.delete_bucket(ORIGIN, bucket.name)
    again = await catalog.create_bucket(ORIGIN, bucket.name, "other", "us-east-1")
    with pytest.raises(NoBucket):
        await catalog.put(ORIGIN, bucket, "a", draft)
    assert [held.name for held in catalog.buckets("other")] == [again.name]
    assert catalog.buckets("root") == []


async def test_buckets_are_paged_by_name(catalog: Catalog) -> None:
    for name in ("aaa", "aab", "abc", "bbb"):
        await catalog.create_bucket(ORIGIN, name, "root", "us-east-1")
    assert [bucket.name for bucket in catalog.buckets(None, prefix="aa")] == ["aaa", "aab"]
    assert [bucket.name for bucket in catalog.buckets(None, after="aab", limit=1)] == ["abc"]


async def test_attributes_of_a_noncurrent_version_change_in_place(
    catalog: Catalog, bucket: Bucket, draft: Version
) -> None:
    bucket = await catalog.update_bucket(ORIGIN, bucket.name, versioning("Enabled"))
    one = await catalog.put(ORIGIN, bucket, "a", draft)
    two = await catalog.put(ORIGIN, bucket, "a", draft)

    def tagged(version: Version) -> Version:
        return msgspec.structs.replace(version, tags={"k": "v"})

    await catalog.update_version(ORIGIN, bucket, "a", one.version_id, tagged)
    assert catalog.get(bucket, "a", one.version_id).tags == {"k": "v"}
    assert catalog.get(bucket, "a") == two


async def test_version_ids_that_never_were_are_told_from_those_that_are_gone(
    catalog: Catalog, bucket: Bucket, draft: Version
) -> None:
    await catalog.put(ORIGIN, bucket, "a", draft)
    with pytest.raises(BadVersionId):
        catalog.get(bucket, "a", "nonsense")
    with pytest.raises(NoVersion):
        catalog.get(bucket, "a", "0" * 32)
    assert not (await catalog.delete(ORIGIN, bucket, "a", "0" * 32)).existed


async def test_many_deletes_answer_each_for_itself(catalog: Catalog, bucket: Bucket, draft: Version) -> None:
    await catalog.put(ORIGIN, bucket, "a", draft)
    came = await catalog.delete_many(ORIGIN, bucket, [("a", None, None), ("b", "bad", None), ("c", None, None)])
    assert [type(result).__name__ for result in came] == ["Deleted", "BadVersionId", "Deleted"]


async def test_users_are_found_by_key_and_unique(catalog: Catalog) -> None:
    user = catalog.create_user(ORIGIN, User("id1", "ann", "AK", "SK"))
    assert catalog.user("AK") == user
    with pytest.raises(UserExists):
        catalog.create_user(ORIGIN, User("id2", "ann", "AK2", "SK"))
    catalog.delete_user(ORIGIN, "ann")
    assert catalog.user("AK") is None
    with pytest.raises(NoUser):
        catalog.delete_user(ORIGIN, "ann")


async def test_versions_stay_in_order_when_the_clock_jumps_back(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    await catalog.create_bucket(ORIGIN, "b", "root", "us-east-1")
    bucket = await catalog.update_bucket(ORIGIN, "b", versioning("Enabled"))
    made = []
    for now in (2_000_000, 1_000_000, 3_000_000):
        monkeypatch.setattr("catalog.commit.time.time_ns", lambda now=now: now * 1_000_000)
        made.append(await catalog.put(ORIGIN, bucket, "k", Version(0, "", 0, "e", 5, "STANDARD", "root"), b"hello"))
    assert [version.modified for version in made] == [2_000_000, 1_000_000, 3_000_000]
    listed = catalog.list_versions(bucket).items
    assert [each.version_id for each in listed] == [version.version_id for version in reversed(made)]
    assert catalog.get(bucket, "k") == made[-1]
