"""Writers made from shapes: rows by a template, and no key dropped in silence."""

from __future__ import annotations

import pytest

ETAG = "d41d8cd98f00b204e9800998ecf8427e"
ROW = (
    "<Contents><Key>p/&amp;</Key><LastModified>2026-11-21T10:00:00.000Z</LastModified>"
    "<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size>"
    "<StorageClass>STANDARD</StorageClass></Contents>"
)


def test_a_row_template(table):
    template = table.operations["ListObjectsV2"].row_template(
        "contents", "key", "last_modified", "etag", "size", "storage_class"
    )
    assert template % ("p/&amp;", "2026-11-21T10:00:00.000Z", ETAG, 0, "STANDARD") == ROW


def test_a_row_template_with_elements_within_elements(table):
    operation = table.operations["ListObjectVersions"]
    template = operation.row_template("delete_markers", "key", "owner.id", "owner.display_name", "is_latest")
    assert template == (
        "<DeleteMarker><Key>%s</Key><Owner><ID>%s</ID><DisplayName>%s</DisplayName></Owner>"
        "<IsLatest>%s</IsLatest></DeleteMarker>"
    )
    assert operation.row_template("versions", "owner.id") == "<Version><Owner><ID>%s</ID></Owner></Version>"
    assert operation.row_template("common_prefixes", "prefix") == "<CommonPrefixes><Prefix>%s</Prefix></CommonPrefixes>"


@pytest.mark.parametrize(("member", "column"), [("contents", "colour"), ("rows", "key"), ("contents", "owner.colour")])
def test_a_row_template_of_what_is_not_there(table, member, column):
    with pytest.raises(TypeError, match="has no"):
        table.operations["ListObjectsV2"].row_template(member, column)


@pytest.mark.parametrize(
    ("name", "output"),
    [
        ("GetObject", {"e_tag": "x"}),
        ("ListObjectsV2", {"contents": [{"Key": "k"}]}),
        ("ListObjectsV2", {"contents": [{"key": "k", "owner": {"id": "1", "mail": "m"}}]}),
        ("CopyObject", {"copy_object_result": {"etag": "x", "size": 1}}),
        ("DeleteBucket", {"bucket": "b"}),
        ("HeadObject", {"body": b""}),
    ],
)
def test_a_key_that_the_shape_lacks_is_an_error(table, name, output):
    with pytest.raises(TypeError, match="has no"):
        table.take(name).render(output)


def test_elements_already_written_take_the_place_of_a_member(table):
    body = table.take("ListObjectsV2").render({"name": "n", "contents": b"<Contents/><Contents/>"}).body
    assert b"<Name>n</Name><Contents/><Contents/>" in body or b"<Contents/><Contents/><Name>n</Name>" in body
