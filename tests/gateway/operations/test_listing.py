from __future__ import annotations

from typing import Any

import pytest
from lxml import etree

from catalog.records import Checksum, Version
from gateway.operations import Context
from gateway.operations.buckets import create_bucket
from gateway.operations.listing import (
    list_object_versions,
    list_objects,
    list_objects_v2,
    past,
)
from gateway.operations.versioning import put_bucket_versioning
from gateway.s3.errors import S3Error
from gateway.s3.model import operations
from tests.gateway.conftest import ALICE, NewContext

KEYS = ["a&b", "folder/1", "folder/2", "other/1", "z <z>"]


async def filled(context: NewContext, versioning: str = "") -> Context:
    await create_bucket(context(), "made")
    if versioning:
        await put_bucket_versioning(context("made"), "made", {"status": versioning})
    cx = context("made")
    for key in KEYS:
        await put(cx, key)
    return cx


async def put(cx: Context, key: str, checksum: Checksum | None = None) -> Version:
    draft = Version(0, "", 0, "e" * 32, 1, "STANDARD", ALICE.id, checksum=checksum)
    return await cx.catalog.put(cx.origin, cx.here, key, draft, b"x")


def shown(name: str, output: dict[str, Any]) -> etree._Element:
    """The answer as the wire has it, without its namespace."""
    body = operations[name].render(output).body
    return etree.fromstring(body.replace(b' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"', b""))


def texts(root: etree._Element, path: str) -> list[str]:
    return [element.text or "" for element in root.findall(path)]


async def test_every_key_is_listed_with_its_particulars(context: NewContext) -> None:
    cx = await filled(context)
    await put(cx, "with checksum", Checksum("CRC64NVME", "AAAA", "FULL_OBJECT"))
    root = shown("ListObjectsV2", await list_objects_v2(cx, "made"))
    assert texts(root, "Contents/Key") == sorted([*KEYS, "with checksum"])
    assert texts(root, "KeyCount") == ["6"]
    last = root.findall("Contents")[4]
    assert [child.tag for child in last] == [
        *("Key", "LastModified", "ETag", "ChecksumAlgorithm", "ChecksumType", "Size", "StorageClass")
    ]
    assert last.findtext("ETag") == f'"{"e" * 32}"'
    assert last.findtext("LastModified", "").endswith(".000Z")


async def test_owner_is_named_in_v1_and_on_demand_in_v2(context: NewContext) -> None:
    cx = await filled(context)
    v1 = shown("ListObjects", await list_objects(cx, "made"))
    v2 = shown("ListObjectsV2", await list_objects_v2(cx, "made", fetch_owner=True))
    plain = shown("ListObjectsV2", await list_objects_v2(cx, "made"))
    assert set(texts(v1, "Contents/Owner/ID")) == set(texts(v2, "Contents/Owner/ID")) == {ALICE.id}
    assert not texts(plain, "Contents/Owner/ID")
    assert not texts(v1, "Contents/Owner/DisplayName")


async def test_v1_pages_by_markers(context: NewContext) -> None:
    cx = await filled(context)
    page = shown("ListObjects", await list_objects(cx, "made", max_keys=2, delimiter="/"))
    assert texts(page, "NextMarker") == ["folder/"]
    page = shown("ListObjects", await list_objects(cx, "made", marker="folder/", max_keys=2, delimiter="/"))
    assert (texts(page, "CommonPrefixes/Prefix"), texts(page, "Contents/Key")) == (["other/"], ["z <z>"])
    assert (texts(page, "IsTruncated"), texts(page, "NextMarker")) == (["false"], [])


async def test_v1_has_no_next_marker_without_a_delimiter(context: NewContext) -> None:
    cx = await filled(context)
    page = shown("ListObjects", await list_objects(cx, "made", max_keys=2))
    assert (texts(page, "IsTruncated"), texts(page, "NextMarker")) == (["true"], [])


async def test_v2_pages_by_tokens_that_show_no_key(context: NewContext) -> None:
    cx = await filled(context)
    found, token = [], None
    while True:
        page = shown("ListObjectsV2", await list_objects_v2(cx, "made", max_keys=2, continuation_token=token))
        found += texts(page, "Contents/Key")
        assert texts(page, "ContinuationToken") == ([token] if token else [])
        if texts(page, "IsTruncated") == ["false"]:
            break
        (token,) = texts(page, "NextContinuationToken")
        assert found[-1] not in token
    assert found == KEYS


async def test_a_token_goes_before_start_after(context: NewContext) -> None:
    cx = await filled(context)
    page = await list_objects_v2(cx, "made", start_after="folder/2", max_keys=1)
    assert page["start_after"] == "folder/2"
    token = page["next_continuation_token"]
    page = await list_objects_v2(cx, "made", start_after="a", continuation_token=token)
    assert page["start_after"] == "a"
    assert texts(shown("ListObjectsV2", page), "Contents/Key") == ["z <z>"]


async def test_no_more_than_a_thousand_and_none_when_none_are_asked_for(context: NewContext) -> None:
    cx = await filled(context)
    assert (await list_objects_v2(cx, "made", max_keys=5000))["max_keys"] == 1000
    none = await list_objects_v2(cx, "made", max_keys=0)
    assert (none["key_count"], none["is_truncated"], none["max_keys"]) == (0, False, 0)


async def test_names_are_encoded_on_demand(context: NewContext) -> None:
    cx = await filled(context)
    page = await list_objects_v2(cx, "made", encoding_type="url", prefix="z ", delimiter="<")
    root = shown("ListObjectsV2", page)
    assert texts(root, "EncodingType") == ["url"]
    assert texts(root, "Prefix") == ["z+"]
    assert texts(root, "Delimiter") == ["%3C"]
    assert texts(root, "CommonPrefixes/Prefix") == ["z+%3C"]
    root = shown("ListObjectsV2", await list_objects_v2(cx, "made", encoding_type="url"))
    assert texts(root, "Contents/Key") == ["a%26b", "folder/1", "folder/2", "other/1", "z+%3Cz%3E"]


@pytest.mark.parametrize(
    "marker, prefix, delimiter, expected",
    [
        ("folder/1", "", "/", "folder/"),
        ("folder/1", "folder/", "/", "folder/1"),
        ("folder/a/1", "folder/", "/", "folder/a/"),
        ("a", "folder/", "/", "a"),
        ("folder/1", "", "", "folder/1"),
        ("", "", "/", ""),
    ],
)
def test_a_marker_within_a_common_prefix_skips_it(marker: str, prefix: str, delimiter: str, expected: str) -> None:
    assert past(marker, prefix, delimiter) == expected


async def test_versions_and_markers_come_mixed_newest_first(context: NewContext) -> None:
    cx = await filled(context, "Enabled")
    await cx.catalog.delete(cx.origin, cx.here, "folder/1")
    newest = await put(cx, "folder/1")
    root = shown("ListObjectVersions", await list_object_versions(cx, "made", prefix="folder/"))
    entries = root.findall("Version") + root.findall("DeleteMarker")
    in_order = [child for child in root if child in entries]
    assert [child.tag for child in in_order] == ["Version", "DeleteMarker", "Version", "Version"]
    assert [child.findtext("IsLatest") for child in in_order] == ["true", "false", "false", "true"]
    assert in_order[0].findtext("VersionId") == newest.version_id
    assert [child.tag for child in in_order[1]] == ["Key", "VersionId", "IsLatest", "LastModified", "Owner"]


async def test_versions_page_by_two_markers(context: NewContext) -> None:
    cx = await filled(context, "Enabled")
    for key in KEYS:
        await put(cx, key)
    everything = [(held.key, held.version_id) for held in cx.catalog.list_versions(cx.here).items]
    found: list[tuple[str, str]] = []
    markers: dict[str, str] = {}
    while True:
        page = await list_object_versions(cx, "made", max_keys=3, **markers)
        root = shown("ListObjectVersions", page)
        found += zip(texts(root, "Version/Key"), texts(root, "Version/VersionId"), strict=True)
        if not page["is_truncated"]:
            break
        markers = {"key_marker": page["next_key_marker"], "version_id_marker": page["next_version_id_marker"]}
    assert found == everything


async def test_a_bucket_without_versioning_lists_null_versions(context: NewContext) -> None:
    cx = await filled(context)
    root = shown("ListObjectVersions", await list_object_versions(cx, "made"))
    assert set(texts(root, "Version/VersionId")) == {"null"}
    assert (texts(root, "KeyMarker"), texts(root, "VersionIdMarker")) == ([""], [""])


async def test_a_version_marker_needs_a_key_marker(context: NewContext) -> None:
    cx = await filled(context)
    with pytest.raises(S3Error, match="InvalidArgument"):
        await list_object_versions(cx, "made", version_id_marker="null")
