"""The rows of listings on the wire, over keys that XML or a URL cannot hold as they are."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catalog.index.keys import escape as spelled
from catalog.records import Checksum, Version
from catalog.rows import ListedVersion, row_of
from gateway.operations.rows import form_encoded, object_rows, prefix_rows, version_rows
from gateway.s3.xml import escape

VERSION = Version(7, "null", 1_795_255_200_999, "e" * 32, 4096, "STANDARD", "root")
CHECKED = Version(7, "null", 0, "e-2", 1, "GLACIER", "root", Checksum("CRC32", "AAAA", "COMPOSITE"))
MARKER = Version(9, "9f", 0, "", 0, "STANDARD", "root", delete_marker=True)


def page(*rows: tuple[str, Version]) -> list[bytes]:
    return [spelled(key) + row_of(key.encode(), version) for key, version in rows]


def test_objects_with_and_without_a_checksum() -> None:
    assert object_rows(page(("a", VERSION), ("b", CHECKED)), False, None).decode() == (
        "<Contents><Key>a</Key><LastModified>2026-11-21T10:00:00.000Z</LastModified>"
        f"<ETag>&quot;{'e' * 32}&quot;</ETag><Size>4096</Size><StorageClass>STANDARD</StorageClass></Contents>"
        "<Contents><Key>b</Key><LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>&quot;e-2&quot;</ETag>"
        "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Size>1</Size>"
        "<StorageClass>GLACIER</StorageClass></Contents>"
    )


def test_no_rows_are_no_elements() -> None:
    assert object_rows([], False, "root") == b""
    assert version_rows([], False, "root") == b""


def test_objects_with_their_owner() -> None:
    assert object_rows(page(("a", CHECKED)), False, "<o>").endswith(
        b"<Size>1</Size><Owner><ID>&lt;o&gt;</ID></Owner><StorageClass>GLACIER</StorageClass></Contents>"
    )


def test_versions_and_delete_markers() -> None:
    items = [
        ListedVersion("a<", 9, "9f", True, row_of(b"a<", MARKER)),
        ListedVersion("a<", 7, "null", False, row_of(b"a<", CHECKED)),
    ]
    assert version_rows(items, False, "o").decode() == (
        "<DeleteMarker><Key>a&lt;</Key><VersionId>9f</VersionId><IsLatest>true</IsLatest>"
        "<LastModified>1970-01-01T00:00:00.000Z</LastModified><Owner><ID>o</ID></Owner></DeleteMarker>"
        "<Version><Key>a&lt;</Key><VersionId>null</VersionId><IsLatest>false</IsLatest>"
        "<LastModified>1970-01-01T00:00:00.000Z</LastModified><ETag>&quot;e-2&quot;</ETag>"
        "<ChecksumAlgorithm>CRC32</ChecksumAlgorithm><ChecksumType>COMPOSITE</ChecksumType><Size>1</Size>"
        "<Owner><ID>o</ID></Owner><StorageClass>GLACIER</StorageClass></Version>"
    )
    assert b"<Key>a%3C</Key>" in version_rows(items, True, "o")


def test_common_prefixes() -> None:
    assert prefix_rows([], False) == b""
    assert prefix_rows(["a/", "<é>/"], False).decode() == (
        "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>"
        "<CommonPrefixes><Prefix>&lt;é&gt;/</Prefix></CommonPrefixes>"
    )
    assert prefix_rows(["a b/"], True) == b"<CommonPrefixes><Prefix>a+b/</Prefix></CommonPrefixes>"


@given(st.lists(st.text(min_size=1), min_size=1), st.booleans())
@example(["plain", "a&b", "day=1", "é", "tab\there", "\0\1", "\r", "\ufffe"], False)
@example(["plain", "a&b", "day=1", "é", "tab\there", "\0\1", "\r", "\ufffe"], True)
def test_each_key_is_as_encoding_type_wants_it(keys: list[str], url: bool) -> None:
    written = object_rows(page(*((key, VERSION) for key in keys)), url, None).decode()
    text = form_encoded if url else escape
    found = [row.partition("</Key>")[0] for row in written.split("<Contents><Key>")[1:]]
    assert found == [text(key) for key in keys]
    items = [ListedVersion(key, 7, "null", True, row_of(key.encode(), VERSION)) for key in keys]
    versions = version_rows(items, url, "o").decode()
    assert [row.partition("</Key>")[0] for row in versions.split("<Version><Key>")[1:]] == found


@pytest.mark.parametrize("url", [False, True])
def test_no_mark_is_left(url: bool) -> None:
    versions = [("a", VERSION), ("b c", CHECKED), ("<", VERSION)]
    written = object_rows(page(*versions), url, "o")
    items = [ListedVersion(key, 1, "v", True, row_of(key.encode(), held)) for key, held in [*versions, ("m", MARKER)]]
    assert not set(written + version_rows(items, url, "o")) & set(range(0xF5, 0x100))


def test_form_encoding_is_that_of_s3() -> None:
    assert form_encoded("a b+c~d*e/f%g_h-i.j(3)é") == "a+b%2Bc%7Ed*e/f%25g_h-i.j%283%29%C3%A9"
