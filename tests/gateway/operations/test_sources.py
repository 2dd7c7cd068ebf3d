from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from catalog.errors import NoBucket, NoObject, PreconditionFailed
from gateway.operations import Context
from gateway.operations.sources import look_up, read_header
from gateway.s3.errors import S3Error

NO_CONDITION = {"if_match": None, "if_none_match": None, "if_modified_since": None, "if_unmodified_since": None}


@pytest.mark.parametrize(
    ("header", "source"),
    [
        ("b/k", ("b", "k", None)),
        ("/b/k", ("b", "k", None)),
        ("b/a/b//c/", ("b", "a/b//c/", None)),
        ("b%2Fk", ("b", "k", None)),
        ("b/a%20b+c%2Bd", ("b", "a b c+d", None)),
        ("b/k?versionId=v1", ("b", "k", "v1")),
        ("http://s3.example.com:9000/b/k?versionId=v1", ("b", "k", "v1")),
        ("https://s3.example.com/b/http://x/y", ("b", "http://x/y", None)),
        ("b/http://x/y", ("b", "http://x/y", None)),
        ("b/what%3FversionId=x?versionId=v1", ("b", "what?versionId=x", "v1")),
        ("b/k?versionId=", ("b", "k", None)),
        ("b/%C3%A9", ("b", "é", None)),
        ("b/Ã©", ("b", "é", None)),  # as latin-1 shows bytes that were sent without encoding
    ],
)
def test_reading_where_a_copy_comes_from(header: str, source: tuple[str, str, str | None]) -> None:
    assert read_header(header) == source


@pytest.mark.parametrize("header", ["", "/", "b", "b/", "/b", "//k", "b/%FF"])
def test_what_names_no_object(header: str) -> None:
    with pytest.raises(S3Error) as refused:
        read_header(header)
    assert refused.value.code == "InvalidArgument"
    assert refused.value.fields["ArgumentName"] == "x-amz-copy-source"


async def test_what_cannot_be_had(at: Callable[..., Context], put: Callable[..., Any]) -> None:
    with pytest.raises(NoBucket):
        look_up(at(), "none/k", NO_CONDITION)
    with pytest.raises(S3Error, match="AccessDenied"):
        look_up(at(), "bobs/k", NO_CONDITION)
    with pytest.raises(NoObject):
        look_up(at(), "b/k", NO_CONDITION)


async def test_conditions_on_the_source(at: Callable[..., Context], put: Callable[..., Any]) -> None:
    made = await put("k", b"x")
    found = look_up(at(), "b/k", NO_CONDITION | {"if_match": made["etag"]})
    assert found.version.etag == made["etag"]
    for condition, value in {"if_match": "x", "if_none_match": made["etag"], "if_unmodified_since": 0}.items():
        with pytest.raises(PreconditionFailed):
            look_up(at(), "b/k", NO_CONDITION | {condition: value})
