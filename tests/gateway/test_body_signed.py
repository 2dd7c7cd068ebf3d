"""Chunks that are signed one by one, and garbage in their place."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.s3.errors import S3Error
from tests.gateway.framing import (
    INCOMPLETE,
    MALFORMED,
    UNSIGNED_TRAILER,
    chunked,
    collect,
    cut,
    frame,
    refusal,
    signed,
)


class TestSignedChunks:
    DATA = bytes(range(256)) * 100
    CHUNKS = (DATA[:8192], DATA[8192:20000], DATA[20000:])
    TRAILER = "x-amz-checksum-crc32"

    @pytest.mark.parametrize("step", [1, 7, 86, 1000, 100_000])
    async def test_any_cut(self, step):
        framed = frame(self.CHUNKS)
        messages = [framed[at : at + step] for at in range(0, len(framed), step)]
        assert await collect(chunked(messages, signed(), len(self.DATA))) == self.DATA

    async def test_with_trailers(self):
        trailers = {self.TRAILER: "AAAAAA==", "x-amz-checksum-sha1": "2jmj7l5rSw0yVb/vlWAYkK/YBwk="}
        promised = f"x-amz-checksum-sha1, {self.TRAILER}"
        body = chunked([frame(self.CHUNKS, trailers)], signed(trailer=True), len(self.DATA), promised)
        assert await collect(body) == self.DATA
        assert body.trailers == trailers

    async def test_nothing_but_the_last_chunk(self):
        assert await collect(chunked([frame([])], signed(), 0)) == b""

    @pytest.mark.parametrize("at", [100, 9000, 21000])
    async def test_altered_data(self, at):
        framed = bytearray(frame(self.CHUNKS))
        framed[at] ^= 1
        error = await refusal(chunked([bytes(framed)], signed(), len(self.DATA)))
        assert error.code == "SignatureDoesNotMatch"

    @pytest.mark.parametrize("number", range(4))
    async def test_altered_signature(self, number):
        parts = frame(self.CHUNKS).split(b"chunk-signature=")
        parts[number + 1] = b"0" * 64 + parts[number + 1][64:]
        error = await refusal(chunked([b"chunk-signature=".join(parts)], signed(), len(self.DATA)))
        assert error.code == "SignatureDoesNotMatch"

    async def test_chunk_left_out(self):
        whole = frame(self.CHUNKS)
        first = whole.index(b"\r\n") + 2 + 8192 + 2
        error = await refusal(chunked([whole[first:]], signed(), len(self.DATA) - 8192))
        assert error.code == "SignatureDoesNotMatch"

    @pytest.mark.parametrize(
        ("find", "put"),
        [
            (b";chunk-signature=", b":chunk-signature="),
            (b";chunk-signature=", b";chunk-sig="),
            (b"chunk-signature=", b"chunk-signature=0"),
            (b"\r\n", b"\n"),
            (b"2000;", b"x;"),
            (b"2000;", b";"),
        ],
    )
    async def test_broken_framing(self, find, put):
        framed = frame(self.CHUNKS).replace(find, put, 1)
        assert (await refusal(chunked([framed], signed(), len(self.DATA)))).code == INCOMPLETE

    async def test_unsigned_chunks_where_signed_were_announced(self):
        framed = b"5\r\nhello\r\n0\r\n\r\n"
        assert (await refusal(chunked([framed], signed(), 5))).code == INCOMPLETE

    async def test_trailers_where_none_were_announced(self):
        framed = frame([b"hello"], {self.TRAILER: "AAAAAA=="})
        assert (await refusal(chunked([framed], signed(), 5, self.TRAILER))).code == INCOMPLETE

    @pytest.mark.parametrize(
        ("find", "put", "code"),
        [
            (b"AAAAAA==", b"AAAAAB==", "SignatureDoesNotMatch"),
            (b"x-amz-trailer-signature:", b"x-amz-trailer-signature:0", INCOMPLETE),
            (b"x-amz-trailer-signature:", b"x-amz-trailer-sig:", INCOMPLETE),
            (b"x-amz-checksum-crc32:", b"x-amz-checksum-sha1:", MALFORMED),
            (b"x-amz-checksum-crc32:AAAAAA==\r\n", b"", MALFORMED),
        ],
    )
    async def test_altered_trailer(self, find, put, code):
        framed = frame([b"hello"], {self.TRAILER: "AAAAAA=="}).replace(find, put)
        assert (await refusal(chunked([framed], signed(trailer=True), 5, self.TRAILER))).code == code

    async def test_trailers_without_signature(self):
        framed = frame([b"hello"], {self.TRAILER: "AAAAAA=="})
        framed = framed[: framed.index(b"x-amz-trailer-signature")] + b"\r\n"
        assert (await refusal(chunked([framed], signed(trailer=True), 5, self.TRAILER))).code == INCOMPLETE

    async def test_trailer_signature_by_another(self):
        framed = frame([b"hello"], {self.TRAILER: "AAAAAA=="})
        at = framed.index(b"x-amz-trailer-signature:") + len(b"x-amz-trailer-signature:")
        framed = framed[:at] + b"0" * 64 + framed[at + 64 :]
        error = await refusal(chunked([framed], signed(trailer=True), 5, self.TRAILER))
        assert error.code == "SignatureDoesNotMatch"


WHOLE = frame((bytes(8192), b"tail"), {"x-amz-checksum-crc32": "AAAAAA=="})


@given(places=st.lists(st.integers(0, len(WHOLE)), max_size=12))
def test_every_cut_gives_the_same(places):
    body = chunked(cut(WHOLE, *places), signed(trailer=True), 8196, "x-amz-checksum-crc32")
    assert asyncio.run(collect(body)) == bytes(8192) + b"tail"
    assert body.trailers == {"x-amz-checksum-crc32": "AAAAAA=="}


SMALL = frame((b"hello",), {"x-amz-checksum-crc32": "AAAAAA=="})


@given(at=st.integers(0, len(SMALL) - 1), byte=st.integers(0, 255), drop=st.integers(0, 3))
def test_any_byte_altered_is_noticed(at, byte, drop):
    """Hex digits may change case and a header its blanks; else only the bytes that were signed go through."""
    altered = SMALL[:at] + bytes([byte]) + SMALL[at + 1 + drop :]
    try:
        data = asyncio.run(collect(chunked([altered], signed(trailer=True), 5, "x-amz-checksum-crc32")))
    except S3Error as error:
        assert error.code in (INCOMPLETE, MALFORMED, "SignatureDoesNotMatch", "InvalidChunkSizeError")
    else:
        assert data == b"hello"


LINES = st.sampled_from(
    [
        b"5\r\nhello\r\n",
        b"0\r\n",
        b"\r\n",
        b"\n",
        b"0;chunk-signature=" + b"0" * 64 + b"\r\n",
        b"x-amz-checksum-crc32:AAAAAA==\r\n",
        b"x-amz-trailer-signature:" + b"0" * 64 + b"\r\n",
    ]
)


@given(
    parts=st.lists(st.one_of(st.binary(max_size=30), LINES), max_size=8),
    kind=st.sampled_from(["unsigned", "signed", "signed trailer"]),
    length=st.integers(0, 20),
)
@example(parts=[b"5\r\nhello\r\n", b"0\r\n", b"\r\n"], kind="unsigned", length=5)
def test_garbage_gives_s3_errors_only(parts, kind, length):
    payload = UNSIGNED_TRAILER if kind == "unsigned" else signed(trailer=kind == "signed trailer")
    results = []
    whole = b"".join(parts)
    for messages in (parts, [whole], [whole[at : at + 1] for at in range(len(whole))]):
        body = chunked(messages or [b""], payload, length, "x-amz-checksum-crc32" if length % 2 else "")
        try:
            results.append((asyncio.run(collect(body)), body.trailers))
        except S3Error as error:
            results.append(error.code)
    assert results[0] == results[1] == results[2]
    if not isinstance(results[0], str):
        assert len(results[0][0]) == length
