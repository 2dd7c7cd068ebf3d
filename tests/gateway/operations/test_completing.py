from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catalog import Catalog
from catalog.errors import NoObject, NoUpload, PreconditionFailed
from catalog.records import Checksum, Origin, Part, Piece, Upload
from gateway.blobs import digest
from gateway.body import Body
from gateway.operations import Context
from gateway.operations.checksums import MEMBERS, encode
from gateway.operations.completing import complete_multipart_upload
from gateway.operations.multipart import create_multipart_upload, upload_part
from gateway.operations.uploads import list_multipart_uploads
from gateway.operations.versioning import put_bucket_versioning
from gateway.s3.columns import Columns
from gateway.s3.errors import S3Error

At = Callable[..., Context]
Do = Callable[..., Any]
Sent = Callable[..., Body]
OnDisk = Callable[[], list[Path]]


@pytest.fixture
def filled(at: At, sent: Sent) -> Do:
    """An upload with these parts, not yet completed: its id and what the client would name."""

    async def filled(*bodies: bytes, algorithm: str = "", key: str = "k", **given: Any) -> tuple[str, dict[str, Any]]:
        chosen = {"checksum_algorithm": algorithm} if algorithm else {}
        upload_id = (await create_multipart_upload(at(), "b", key, **chosen, **given))["upload_id"]
        named = []
        for number, body in enumerate(bodies, 1):
            checksum = {MEMBERS[algorithm]: encode(digest(algorithm, body))} if algorithm else {}
            came = await upload_part(at(), "b", key, sent(body), number, upload_id, **checksum)
            named.append({"part_number": number, "etag": f'"{came["etag"]}"', **checksum})
        return upload_id, {"parts": named}

    return filled


async def test_the_parts_become_an_object(at: At, filled: Do, got: Do, md5: Do, big: bytes, on_disk: OnDisk) -> None:
    upload_id, named = await filled(big, big, b"tail", content_type="text/plain", metadata={"a": "b"}, tagging="t=1")
    came = await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named)
    etags = bytes.fromhex(md5(big) + md5(big) + md5(b"tail"))
    assert came["etag"] == f"{md5(etags)}-3"
    assert came["location"] == "http://127.0.0.1:9000/b/key"
    assert came["checksum_crc64_nvme"] == encode(digest("CRC64NVME", big + big + b"tail"))
    assert came["checksum_type"] == "FULL_OBJECT"
    found = await got("k")
    assert found["body"] == big + big + b"tail"
    assert (found["content_type"], found["metadata"], found["tag_count"]) == ("text/plain", {"a": "b"}, 1)
    assert len(on_disk()) == 2
    assert (await list_multipart_uploads(at(), "b"))["uploads"] == []


async def test_parts_that_are_not_named_are_dropped(at: At, filled: Do, got: Do, big: bytes, on_disk: OnDisk) -> None:
    upload_id, named = await filled(big, big, big)
    named["parts"] = named["parts"][1:2]
    await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named)
    assert (await got("k"))["body"] == big
    assert len(on_disk()) == 1


async def test_completing_again(at: At, filled: Do, put: Do) -> None:
    upload_id, named = await filled(b"x")
    came = await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named)
    assert await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named) == came
    await put("k", b"newer")
    with pytest.raises(NoUpload):
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named)


async def test_completing_twice_at_once(at: At, filled: Do) -> None:
    upload_id, named = await filled(b"x")
    first, second = await asyncio.gather(
        *(complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named) for _ in range(2))
    )
    assert first == second


async def test_no_such_upload(at: At) -> None:
    with pytest.raises(NoUpload):
        await complete_multipart_upload(
            at(), "b", "k", "none", multipart_upload={"parts": [{"part_number": 1, "etag": "x"}]}
        )


@pytest.mark.parametrize("named", [{}, {"parts": []}, {"parts": [{"part_number": 1}]}, {"parts": [{"etag": "x"}]}])
async def test_what_names_no_parts(at: At, filled: Do, named: dict[str, Any] | None) -> None:
    upload_id, _ = await filled(b"x")
    with pytest.raises(S3Error, match="MalformedXML"):
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named)


async def test_no_document(at: At, filled: Do) -> None:
    upload_id, _ = await filled(b"x")
    with pytest.raises(S3Error, match="You must specify at least one part"):
        await complete_multipart_upload(at(), "b", "k", upload_id)
    with pytest.raises(NoUpload):
        await complete_multipart_upload(at(), "b", "k", "0" * 32)


async def test_parts_out_of_order(at: At, filled: Do, big: bytes) -> None:
    upload_id, named = await filled(big, b"x")
    for parts in (named["parts"][::-1], named["parts"][:1] * 2):
        with pytest.raises(S3Error, match="InvalidPartOrder"):
            await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload={"parts": parts})


async def test_a_part_number_of_zero(at: At, filled: Do) -> None:
    upload_id, named = await filled(b"x")
    named["parts"][0]["part_number"] = 0
    with pytest.raises(S3Error, match="InvalidArgument"):
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named)


@pytest.mark.parametrize("wrong", [{"part_number": 2}, {"etag": "0" * 32}])
async def test_a_part_that_is_not_there(at: At, filled: Do, wrong: dict[str, Any]) -> None:
    upload_id, named = await filled(b"x")
    named["parts"][0] |= wrong
    with pytest.raises(S3Error) as refused:
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named)
    assert refused.value.code == "InvalidPart"
    assert refused.value.fields["UploadId"] == upload_id


async def test_a_part_too_small(at: At, filled: Do) -> None:
    upload_id, named = await filled(b"small", b"x")
    with pytest.raises(S3Error) as refused:
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named)
    assert refused.value.code == "EntityTooSmall"
    assert refused.value.fields["ProposedSize"] == "5"
    assert refused.value.fields["MinSizeAllowed"] == str(5 << 20)
    assert refused.value.fields["PartNumber"] == "1"


async def test_the_size_the_client_expects(at: At, filled: Do) -> None:
    upload_id, named = await filled(b"x")
    with pytest.raises(S3Error, match="does not match what was computed: 1"):
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named, mpu_object_size=2)
    await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named, mpu_object_size=1)


@pytest.mark.parametrize("algorithm", ["CRC32", "CRC32C", "SHA1", "SHA256", "SHA512", "MD5", "XXHASH128"])
async def test_a_composite_checksum(at: At, filled: Do, got: Do, big: bytes, algorithm: str) -> None:
    upload_id, named = await filled(big, b"tail", algorithm=algorithm)
    member = MEMBERS[algorithm]
    composite = encode(digest(algorithm, digest(algorithm, big) + digest(algorithm, b"tail")))
    with pytest.raises(S3Error, match="BadDigest"):
        await complete_multipart_upload(
            at(), "b", "k", upload_id, multipart_upload=named, **{member: encode(digest(algorithm, b"x"))}
        )
    came = await complete_multipart_upload(
        at(), "b", "k", upload_id, multipart_upload=named, checksum_type="COMPOSITE", **{member: composite}
    )
    assert (came[member], came["checksum_type"]) == (f"{composite}-2", "COMPOSITE")
    found = await got("k", checksum_mode="ENABLED")
    assert found[member] == f"{composite}-2"
    found = await got("k", checksum_mode="ENABLED", part_number=2)
    assert (found[member], found["checksum_type"]) == (encode(digest(algorithm, b"tail")), "COMPOSITE")


async def test_a_checksum_of_the_whole(at: At, filled: Do, big: bytes) -> None:
    upload_id, named = await filled(big, b"tail", algorithm="CRC32", checksum_type="FULL_OBJECT")
    for part in named["parts"]:
        del part["checksum_crc32"]
    whole = encode(digest("CRC32", big + b"tail"))
    came = await complete_multipart_upload(
        at(), "b", "k", upload_id, multipart_upload=named, checksum_crc32=whole, checksum_type="FULL_OBJECT"
    )
    assert (came["checksum_crc32"], came["checksum_type"]) == (whole, "FULL_OBJECT")


async def test_a_composite_checksum_needs_that_of_each_part(at: At, filled: Do) -> None:
    upload_id, named = await filled(b"x", algorithm="SHA256")
    right = named["parts"][0].pop("checksum_sha256")
    for checksum, message in (
        ({}, "was missing for part 1"),
        ({"checksum_sha256": encode(digest("SHA256", b"y"))}, "InvalidPart"),
        ({"checksum_sha1": encode(digest("SHA1", b"x"))}, "The sha1 you specified for part 1"),
    ):
        with pytest.raises(S3Error, match=message):
            parts = [named["parts"][0] | checksum]
            await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload={"parts": parts})
    parts = [named["parts"][0] | {"checksum_sha256": right}]
    await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload={"parts": parts})


async def test_another_type_than_the_upload_has(at: At, filled: Do) -> None:
    upload_id, named = await filled(b"x", algorithm="CRC32")
    with pytest.raises(S3Error, match="COMPOSITE checksum mode"):
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named, checksum_type="FULL_OBJECT")


@pytest.fixture
def uploaded(catalog: Catalog, at: At) -> Do:
    """An upload of that many parts, of which only the records are there, and the columns that name them."""

    async def uploaded(count: int, **given: Any) -> tuple[str, Columns]:
        upload = await catalog.create_upload(Origin(), at().here, Upload("", 0, "k", 0, "owner", **given))
        parts = [part(number) for number in range(1, count + 1)]
        for start in range(0, count, 1000):
            await asyncio.gather(
                *(catalog.put_part(Origin(), at().here, "k", upload.upload_id, each) for each in parts[start:][:1000])
            )
        numbers = [part.number for part in parts]
        return upload.upload_id, Columns({"part_number": numbers, "etag": [part.etag for part in parts]})

    def part(number: int) -> Part:
        piece = Piece(5 << 20, blob=number.to_bytes(16, "big"))
        return Part(
            number, piece.size, f"{number:032x}", 0, piece, Checksum("CRC32", encode(number.to_bytes(4, "big")))
        )

    return uploaded


async def test_ten_thousand_parts(catalog: Catalog, at: At, uploaded: Do) -> None:
    upload_id, named = await uploaded(10_000)
    came = await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload={"parts": named})
    etags = bytes.fromhex("".join(f"{number:032x}" for number in range(1, 10_001)))
    assert came["etag"] == f"{digest('MD5', etags).hex()}-10000"
    found = catalog.get(at().here, "k")
    assert (found.size, found.part_count) == (10_000 * (5 << 20), 10_000)
    parts = catalog.whole(found).parts
    assert isinstance(parts, list)
    assert [(part.number, part.etag) for part in parts] == list(zip(*named.members.values(), strict=True))
    with pytest.raises(NoUpload):
        catalog.parts(at().here, "k", upload_id)


async def test_some_of_many_parts(catalog: Catalog, at: At, uploaded: Do) -> None:
    upload_id, named = await uploaded(1_500)
    odd = Columns({name: values[::2] for name, values in named.members.items()})
    await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload={"parts": odd})
    parts = catalog.whole(catalog.get(at().here, "k")).parts
    assert isinstance(parts, list)
    assert [part.number for part in parts] == list(range(1, 1_501, 2))


@pytest.mark.parametrize(
    ("member", "value", "code", "fields"),
    [
        ("etag", "0" * 32, "InvalidPart", {"PartNumber": "701", "ETag": "0" * 32}),
        ("part_number", 700, "InvalidPartOrder", {}),
        ("part_number", 0, "InvalidArgument", {"ArgumentValue": "0"}),
        ("checksum_crc32", "AAAAAA==", "InvalidPart", {"PartNumber": "701"}),
        ("checksum_crc32", "AAAA", "InvalidArgument", {"ArgumentValue": "AAAA"}),
    ],
)
async def test_what_is_wrong_with_one_of_many(
    at: At, uploaded: Do, member: str, value: Any, code: str, fields: dict[str, str]
) -> None:
    upload_id, named = await uploaded(1_500, checksum_algorithm="CRC32", checksum_kind="COMPOSITE")
    named.members["checksum_crc32"] = [encode(number.to_bytes(4, "big")) for number in range(1, 1_501)]
    right, named.members[member][700] = named.members[member][700], value
    with pytest.raises(S3Error) as refused:
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload={"parts": named})
    assert refused.value.code == code
    assert refused.value.fields.items() >= fields.items()
    named.members[member][700] = right
    await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload={"parts": named})


async def test_many_parts_without_the_checksums_that_a_composite_needs(at: At, uploaded: Do) -> None:
    upload_id, named = await uploaded(1_500, checksum_algorithm="CRC32", checksum_kind="COMPOSITE")
    with pytest.raises(S3Error, match="was missing for part 1 "):
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload={"parts": named})
    named.members["checksum_crc32_c"] = ["AAAAAA=="] * 1_500
    with pytest.raises(S3Error, match="The crc32c you specified for part 1 did"):
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload={"parts": named})


async def test_many_parts_that_lack_an_etag(at: At, uploaded: Do) -> None:
    upload_id, named = await uploaded(1_500)
    del named.members["etag"]
    with pytest.raises(S3Error, match="MalformedXML"):
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload={"parts": named})


async def test_conditions(at: At, filled: Do, put: Do, got: Do) -> None:
    upload_id, named = await filled(b"x")
    with pytest.raises(NoObject):
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named, if_match="x")
    await asyncio.sleep(0.002)  # times are in milliseconds
    there = await put("k", b"there")
    with pytest.raises(PreconditionFailed):
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named, if_none_match="*")
    with pytest.raises(S3Error, match="ConditionalRequestConflict"):
        await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named, if_match=there["etag"])
    upload_id, named = await filled(b"x")
    await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named, if_match=there["etag"])
    assert (await got("k"))["body"] == b"x"


async def test_of_many_uploads_where_nothing_is_one_wins(at: At, filled: Do, got: Do) -> None:
    uploads = [await filled(bytes([number])) for number in range(8)]
    came = await asyncio.gather(
        *(
            complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named, if_none_match="*")
            for upload_id, named in uploads
        ),
        return_exceptions=True,
    )
    (won,) = [number for number, result in enumerate(came) if isinstance(result, dict)]
    assert sum(isinstance(result, PreconditionFailed) for result in came) == 7
    assert (await got("k"))["body"] == bytes([won])


async def test_versions(at: At, filled: Do, put: Do, got: Do) -> None:
    await put_bucket_versioning(at(), "b", {"status": "Enabled"})
    before = await put("k", b"before")
    upload_id, named = await filled(b"x")
    came = await complete_multipart_upload(at(), "b", "k", upload_id, multipart_upload=named)
    assert came["version_id"] == (await got("k"))["version_id"]
    assert (await got("k", version_id=before["version_id"]))["body"] == b"before"
