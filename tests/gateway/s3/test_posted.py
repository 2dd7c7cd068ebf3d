from __future__ import annotations

import pytest

from gateway.s3.posted import render_posted
from gateway.s3.rendered import Rendered

STORED = Rendered(200, b'etag: "e"\r\ncontent-length: 0\r\n', b"")
OUTPUT = {
    "etag": "e",
    "bucket": "b",
    "key": "<k>",
    "location": "http://h/b/%3Ck%3E",
    "success_action_status": "",
    "success_action_redirect": "",
}


def test_nothing_is_asked_for() -> None:
    answer = render_posted(STORED, OUTPUT)
    assert answer == (204, b'etag: "e"\r\nlocation: http://h/b/%3Ck%3E\r\n', b"")


def test_a_document() -> None:
    answer = render_posted(STORED, OUTPUT | {"success_action_status": "201"})
    assert answer.status == 201
    assert b"<Key>&lt;k&gt;</Key>" in answer.body
    assert f"content-length: {len(answer.body)}\r\n".encode() in answer.head


@pytest.mark.parametrize(
    ("place", "location"),
    [
        ("http://a", "http://a?bucket=b&key=%3Ck%3E&etag=%22e%22"),
        ("http://a/?x", "http://a/?x&bucket=b&key=%3Ck%3E&etag=%22e%22"),
        ("http://a/#f", "http://a/?bucket=b&key=%3Ck%3E&etag=%22e%22#f"),
    ],
)
def test_a_place_to_go_on(place: str, location: str) -> None:
    answer = render_posted(STORED, OUTPUT | {"success_action_redirect": place, "success_action_status": "201"})
    assert answer.status == 303
    assert f"location: {location}\r\n".encode() in answer.head


@pytest.mark.parametrize("place", ["ftp://a", "http://[a", "a", "http://a\r\nb", "http:///a"])
def test_no_place(place: str) -> None:
    assert render_posted(STORED, OUTPUT | {"success_action_redirect": place}).status == 204
