"""A connection: what is no request, what comes in pieces or too soon, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from gateway.exchange import Message
from gateway.protocol import MAX_HEAD
from tests.gateway.connections import Send, served


async def test_what_is_no_request_gets_an_answer_of_s3(send: Send) -> None:
    answer = await send(b"this is no HTTP\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert b"<Code>BadRequest</Code>" in answer
    assert b"x-amz-request-id: " in answer


async def test_a_head_without_end_is_cut(send: Send) -> None:
    lines = [b"X-Filler-%d: %s\r\n" % (number, b"x" * 8000) for number in range(9)]
    answer = await send(b"GET / HTTP/1.1\r\nHost: a\r\n", *lines)
    assert b"<Code>RequestHeaderSectionTooLarge</Code>" in answer


async def test_a_head_in_pieces_is_put_together(send: Send) -> None:
    answer = await send(b"GET / HT", b"TP/1.1\r\nHo", b"st: a\r\nContent-Length: 2\r\n", b"\r\nok", expected=b"ok")
    assert answer.startswith(b"HTTP/1.1 200")


async def test_bodies_are_not_counted(send: Send) -> None:
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (2 * MAX_HEAD)
    answer = await send(head, *[b"x" * 1024] * (2 * MAX_HEAD // 1024), expected=b"x" * 1024)
    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_body_that_comes_with_the_rest_of_a_head_is_not_counted_with_it(send: Send) -> None:
    head = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % (2 * MAX_HEAD)
    answer = await send(head[:20], head[20:] + b"x" * (2 * MAX_HEAD), expected=b"x" * 1024)
    assert answer.startswith(b"HTTP/1.1 200")


CHUNKED = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"


async def test_large_chunks_are_not_counted(send: Send) -> None:
    chunk = b"%x\r\n%b\r\n" % (2 * MAX_HEAD, b"x" * 2 * MAX_HEAD)
    head = CHUNKED.replace(b"Host: a", b"Connection: close")
    answer = await send(head, chunk[:3], chunk[3:10], chunk[10:], chunk, b"0\r\n", b"A: b\r\n\r\n")
    assert answer.endswith(b"\r\n\r\n" + b"x" * 4 * MAX_HEAD)


@pytest.mark.parametrize("trailer", [b"X-A: " + b"x" * 8000, b"x" * 8000, b"X: y\r\n" * 1334])
async def test_trailers_without_end_are_cut(send: Send, trailer: bytes) -> None:
    answer = await send(CHUNKED + b"1\r\na\r\n0\r\n", *[trailer] * 9)
    assert b"<Code>RequestHeaderSectionTooLarge</Code>" in answer


async def test_trailers_of_http_are_nobody_s_headers(send: Send) -> None:
    head = CHUNKED.replace(b"PUT /", b"PUT /headers")
    answer = await send(head + b"1\r\na\r\n0\r\nX-Amz-Acl: a\r\nHost: b\r\n\r\n", expected=b"chunked")
    assert answer.endswith(b"\r\n\r\nhost=a;transfer-encoding=chunked")


async def test_nonsense_does_not_put_an_error_into_the_answer_under_way() -> None:
    async def endless(scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"1000")]})
        await send({"type": "http.response.body", "body": b"abc", "more_body": True})
        while (await receive())["type"] != "http.disconnect":
            pass

    async with served(endless) as send:
        answer = await send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", b"\0\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nabc")


async def test_heads_are_counted_one_by_one(send: Send) -> None:
    request = b"GET / HTTP/1.1\r\nHost: a\r\nX-Filler: %s\r\n\r\n" % (b"x" * 20_000)
    answer = await send(*[request] * 10, expected=b"\r\n\r\n" * 1)
    assert b"400" not in answer


@pytest.mark.parametrize("cut", [0, 10, 60, 120])
async def test_an_offer_of_another_protocol_is_passed_over(send: Send, cut: int) -> None:
    """Java's client makes it with its first request, whatever that is, and goes on in HTTP/1.1."""
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
    first = b"PUT / HTTP/1.1\r\nHost: a\r\n" + offer + b"Content-Length: 3\r\n\r\none"
    second = b"GET /headers HTTP/1.1\r\n" + offer + b"\r\n"
    third = b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n" + offer + b"\r\n5\r\nthree\r\n0\r\n\r\n"
    whole = first + second + third
    answer = await send(whole[:cut], whole[cut:], expected=b"three")
    bodies = [part.partition(b"\r\n\r\n")[2] for part in answer.split(b"HTTP/1.1 200 OK")[1:]]
    assert bodies == [b"one", b"connection=Upgrade, HTTP2-Settings", b"three"]


async def test_a_tunnel_is_refused(send: Send) -> None:
    assert b"<Code>BadRequest</Code>" in await send(b"CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n")


async def test_requests_that_come_at_once_are_answered_in_order(send: Send) -> None:
    bodies = [b"%04d" % number for number in range(200)]
    requests = [b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\n" + body for body in bodies]
    answer = await send(b"".join(requests), expected=b"0199")
    assert [part[-4:] for part in answer.split(b"HTTP/1.1 200 OK")[1:]] == bodies


async def test_a_connection_of_http_1_0_ends_with_the_answer(send: Send) -> None:
    answer = await send(b"PUT / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\nok")
    assert answer.endswith(b"\r\nconnection: close\r\n\r\nok")


async def test_equal_headers_are_joined_and_blanks_taken_away(send: Send) -> None:
    answer = await send(b"GET /headers HTTP/1.1\r\nX-One: a \t\r\nx-one:  b\r\nConnection: close\r\n\r\n")
    assert answer.endswith(b"\r\n\r\nx-one=a,b;connection=close")


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/a%2Fb?c=%20", b"/a%2Fb", b"c=%20"),
        (b"http://host:1/a?b", b"/a", b"b"),
        (b"http://host:1", b"/", b""),
        (b"/a#b?c", b"/a", b""),
        (b"//a?b?c", b"//a", b"b?c"),
    ],
)
async def test_path_and_query_are_as_they_were_sent(send: Send, target: bytes, path: bytes, query: bytes) -> None:
    answer = await send(b"GET %b HTTP/1.1\r\nX-Target: yes\r\nConnection: close\r\n\r\n" % target)
    assert answer.endswith(b"\r\n\r\n%b?%b" % (path, query))


async def test_a_target_that_is_not_ascii_is_no_request(send: Send) -> None:
    assert b"<Code>BadRequest</Code>" in await send(b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n")


async def test_an_idle_connection_is_closed() -> None:
    """Without an answer to wait for, `send` reads until the end."""
    async with served(patience=1) as send:
        assert await send(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n") != b""
        assert await send() == b""


async def test_a_request_too_many_is_refused_and_its_connection_goes_on() -> None:
    async with served(most_requests=2) as send:
        head = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n"
        slow = [asyncio.create_task(send(head, *[b""] * 50, b"slow!", expected=b"!")) for _ in range(2)]
        await asyncio.sleep(0.1)
        refused = await send(head + b"quick", b"GET /headers HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert refused.count(b"HTTP/1.1 503 ") == 2
        assert [(await each).count(b"HTTP/1.1 200 ") for each in slow] == [1, 1]
        assert (await send(head + b"quick", expected=b"quick")).startswith(b"HTTP/1.1 200 ")


async def test_a_connection_too_many_hears_so_and_ends_and_one_far_too_many_just_ends() -> None:
    request = b"GET /whole/5 HTTP/1.1\r\nHost: a\r\n\r\n"
    async with served(most_connections=2) as send:
        waits = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n"
        held = [asyncio.create_task(send(waits, *[b""] * 50, b"ok", expected=b"ok")) for _ in range(2)]
        await asyncio.sleep(0.1)
        refused = await send(request)
        assert refused.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nconnection: close\r\n" in refused
        turned_away = [asyncio.create_task(send(*[b""] * 20, request)) for _ in range(4)]
        assert sorted([(await each)[:12] for each in turned_away]) == [b"", b"", b"HTTP/1.1 503", b"HTTP/1.1 503"]
        assert [(await each)[:12] for each in held] == [b"HTTP/1.1 200"] * 2
        assert (await send(request, expected=b"hello")).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("content_type", "ends"), [(b"text/event-stream", True), (b"application/x-ndjson", False)], ids=str
)
@pytest.mark.parametrize("way", ["retire", "shutdown"])
async def test_an_answer_without_an_end_ends_with_the_worker(way: str, content_type: bytes, ends: bool) -> None:
    connections: set[Any] = set()
    enough = asyncio.Event()

    async def endless(scope: Message, receive: Callable[..., Any], send: Callable[..., Any]) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", content_type)]})
        await send({"type": "http.response.body", "body": b"hello", "more_body": True})
        gone = asyncio.ensure_future(receive())
        getattr(*connections, way)()
        await asyncio.wait({gone, asyncio.ensure_future(enough.wait())}, return_when=asyncio.FIRST_COMPLETED)
        assert gone.done() is ends
        gone.cancel()
        await send({"type": "http.response.body"})

    async with served(endless, connections=connections) as talk:
        if not ends:
            asyncio.get_running_loop().call_later(0.1, enough.set)
        answer = await talk(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")
    assert answer.endswith(b"\r\n\r\n5\r\nhello\r\n0\r\n\r\n")
