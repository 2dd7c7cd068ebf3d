"""An answer on the wire, whichever messages it is made of."""

from __future__ import annotations

import pytest

from tests.gateway.connections import Send


async def test_an_answer_in_one_message_is_an_answer_like_any(send: Send) -> None:
    request = b"GET /whole/5 HTTP/1.1\r\nhost: x\r\n\r\n"
    answer = await send(request + request.replace(b"x\r", b"x\r\nconnection: close\r"))
    first, _, rest = answer.partition(b"\r\n\r\nhello")
    second, _, nothing = rest.partition(b"\r\n\r\nhello")
    assert first.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close" not in first
    assert second.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"\r\nconnection: close\r\n" in second
    assert nothing == b""


async def test_an_answer_to_head_in_one_message_has_no_body(send: Send) -> None:
    answer = await send(b"HEAD /whole/5 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert b"\r\ncontent-length: 5\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


async def test_an_answer_without_a_length_is_framed_all_the_same(send: Send) -> None:
    answer = await send(b"GET /unmeasured HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    assert b"\r\ntransfer-encoding: chunked\r\n" in answer
    assert answer.endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")


@pytest.mark.parametrize("path", ["/short", "/long", "/silent", "/raises", "/whole/", "/whole/4"])
async def test_an_answer_that_goes_wrong_ends_the_connection(send: Send, path: str) -> None:
    """Nobody may take what follows it for a part of it, or wait for what never comes."""
    request = f"GET {path} HTTP/1.1\r\nhost: x\r\n\r\n".encode()
    answer = await send(request + request)
    assert answer.count(b"HTTP/1.1 ") == 1
    assert (b" 500 " in answer) == (path not in ("/short", "/long"))
