from __future__ import annotations

import io
from hashlib import sha256

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum

from gateway.auth.payload import Payload
from gateway.body import INLINE_HASH_SIZE, MAX_UPLOAD_SIZE, ClientDisconnect
from gateway.s3.errors import S3Error
from tests.gateway.framing import (
    INCOMPLETE,
    MALFORMED,
    UNSIGNED,
    UNSIGNED_TRAILER,
    body_of,
    chunked,
    collect,
    cut,
    refusal,
    signed,
)


class TestPlain:
    async def test_pieces_are_passed_on_as_they_come(self):
        body = body_of([b"abc", b"", b"def"], UNSIGNED, content_length=6)
        assert body.length == 6
        assert [piece async for piece in body] == [b"abc", b"def"]

    async def test_unknown_length(self):
        body = body_of([b"abc"], UNSIGNED)
        assert body.length is None
        assert await collect(body) == b"abc"

    async def test_no_body(self):
        assert await collect(body_of([b""], UNSIGNED)) == b""

    @pytest.mark.parametrize("length", [2, 4])
    async def test_another_length_than_announced(self, length):
        assert (await refusal(body_of([b"abc"], UNSIGNED, content_length=length))).code == INCOMPLETE

    async def test_client_that_hangs_up(self):
        with pytest.raises(ClientDisconnect):
            await collect(body_of([b"abc", None], UNSIGNED, content_length=6))

    async def test_digest(self):
        digest = sha256(b"abcdef").hexdigest()
        body = body_of([b"abc", b"def"], Payload(sha256=digest), content_length=6)
        assert (body.expected_sha256, body.check_sha256) == (digest, True)
        assert await collect(body) == b"abcdef"
        assert body.digest_sha256 == digest

    async def test_wrong_digest(self):
        error = await refusal(body_of([b"abc"], Payload(sha256="0" * 64), content_length=3))
        assert error.code == "XAmzContentSHA256Mismatch"
        assert error.fields == {
            "ClientComputedContentSHA256": "0" * 64,
            "S3ComputedContentSHA256": sha256(b"abc").hexdigest(),
        }

    async def test_digest_left_to_the_reader(self):
        data = bytes(INLINE_HASH_SIZE + 1)
        body = body_of([data], Payload(sha256="0" * 64), content_length=len(data))
        assert body.defer_sha256()
        assert await collect(body) == data
        assert body.digest_sha256 is None
        with pytest.raises(S3Error) as caught:
            body.compare_digest(sha256(data).hexdigest())
        assert caught.value.code == "XAmzContentSHA256Mismatch"

    async def test_small_body_is_hashed_here_all_the_same(self):
        body = body_of([b"abc"], Payload(sha256="0" * 64), content_length=3)
        assert not body.defer_sha256()
        assert (await refusal(body)).code == "XAmzContentSHA256Mismatch"

    async def test_nothing_to_defer(self):
        body = body_of([b"abc"], UNSIGNED)
        assert not body.defer_sha256()
        body.compare_digest(sha256(b"xyz").hexdigest())


class TestRead:
    @pytest.mark.parametrize("messages", [[b"abcdef"], [b"abc", b"def"], [b"abc", b"", b"def", b""]])
    async def test_whole(self, messages):
        assert await body_of(messages, UNSIGNED, content_length=6).read(6) == b"abcdef"

    async def test_chunked(self):
        data = await chunked([b"3\r\nabc\r\n0\r\n\r\n"], UNSIGNED_TRAILER, 3).read(10)
        assert isinstance(data, bytes)
        assert data == b"abc"

    async def test_empty(self):
        assert await body_of([b""], UNSIGNED).read(0) == b""

    async def test_announced_too_long_is_not_even_read(self):
        with pytest.raises(S3Error) as caught:
            await body_of([], UNSIGNED, content_length=7).read(6)
        assert caught.value.code == "MaxMessageLengthExceeded"
        assert caught.value.fields == {"MaxMessageLengthBytes": "6"}

    async def test_unannounced_too_long(self):
        with pytest.raises(S3Error) as caught:
            await body_of([b"abc", b"def", b"ghi"], UNSIGNED).read(6)
        assert caught.value.code == "MaxMessageLengthExceeded"


class TestDecodedLength:
    @pytest.mark.parametrize("payload", [UNSIGNED_TRAILER, signed()])
    @pytest.mark.parametrize("text", ["", "abc", "12x", "-1", "1_0", " 5", "9" * 5000])
    def test_is_required(self, payload, text):
        with pytest.raises(S3Error) as caught:
            body_of([], payload, x_amz_decoded_content_length=text)
        assert (caught.value.code, caught.value.status) == ("MissingContentLength", 411)

    @pytest.mark.parametrize("announced", [0, 4, 6, 200])
    async def test_mismatch(self, announced):
        error = await refusal(chunked([b"5\r\nhello\r\n0\r\n\r\n"], UNSIGNED_TRAILER, announced))
        assert error.code == INCOMPLETE
        assert error.message.startswith("You did not provide the number of bytes")

    async def test_nothing_is_released_past_it(self):
        released = 0
        with pytest.raises(S3Error):
            async for piece in chunked([b"2000\r\n" + bytes(0x2000), b"\r\n5\r\nhello"], UNSIGNED_TRAILER, 0x2004):
                released += len(piece)
        assert released == 0x2000

    def test_limit_of_an_upload(self):
        assert MAX_UPLOAD_SIZE == 5 * 2**30
        assert chunked([], UNSIGNED_TRAILER, 2**40).length == 2**40


class TestUnsignedChunks:
    async def test_as_botocore_sends_it(self):
        data = bytes(range(256)) * 5000
        wrapper = AwsChunkedWrapper(io.BytesIO(data), Crc32Checksum, "x-amz-checksum-crc32", chunk_size=100_000)
        body = chunked(cut(wrapper.read(), 5, 50_000, 100_010), UNSIGNED_TRAILER, len(data), "x-amz-checksum-crc32")
        assert body.length == len(data)
        assert await collect(body) == data
        checksum = Crc32Checksum()
        checksum.update(data)
        assert body.trailers == {"x-amz-checksum-crc32": checksum.b64digest()}

    async def test_pieces_share_the_memory_they_came_in(self):
        message = b"A\r\n0123456789\r\n0\r\n\r\n"
        [piece] = [piece async for piece in chunked([message], UNSIGNED_TRAILER, 10)]
        assert isinstance(piece, memoryview)
        assert piece.obj is message

    @pytest.mark.parametrize(
        "body",
        [
            b"A\ndummy data\r\n0\r\n\r\n",
            b"A\r\ndummy data0\r\n\r\n",
            b"A\r\nXYZ\r\ndummy data\r\n0\r\n\r\n",
            b"B\r\ndummy data\r\n0\r\n\r\n",
            b"A\r\ndummy data\r\n0\r\n",
            b"A\r\ndummy data\r\n",
            b"A\r\ndummy dat",
            b"A\r\n",
            b"",
            b"\r\n",
            b"-A\r\ndummy data\r\n0\r\n\r\n",
            b"0xA\r\ndummy data\r\n0\r\n\r\n",
            b"1_0\r\ndummy data\r\n0\r\n\r\n",
            b" A\r\ndummy data\r\n0\r\n\r\n",
            b"A;a=b\r\ndummy data\r\n0\r\n\r\n",
            b"0000000000000000A\r\ndummy data\r\n0\r\n\r\n",
            b"FFFFFFFFFFFFFFFF\r\ndummy data\r\n0\r\n\r\n",
            b"invalid\r\ndummy data\r\n0\r\n\r\n",
            b"A\r\ndummy data\r\nJ\r\n\r\n",
            b"A\r\ndummy data\r\n0\r\n\r\nmore",
            b"A" * 5000,
        ],
    )
    async def test_broken_framing(self, body):
        assert (await refusal(chunked([body], UNSIGNED_TRAILER, 10))).code == INCOMPLETE
        each = [body[at : at + 1] for at in range(len(body))] or [b""]
        assert (await refusal(chunked(each, UNSIGNED_TRAILER, 10))).code == INCOMPLETE

    async def test_client_that_hangs_up(self):
        with pytest.raises(ClientDisconnect):
            await collect(chunked([b"A\r\ndummy", None], UNSIGNED_TRAILER, 10))

    @pytest.mark.parametrize(
        ("sizes", "bad"),
        [
            ([8192, 8192, 100], None),
            ([100], None),
            ([10000, 9500, 20], None),
            ([100, 8192], (2, 100)),
            ([8192, 10, 100], (3, 10)),
            ([10, 10, 10], (2, 10)),
            ([8192, 8191, 1], (3, 8191)),
        ],
    )
    async def test_only_the_last_chunk_may_be_small(self, sizes, bad):
        framed = b"".join(b"%x\r\n%s\r\n" % (size, bytes(size)) for size in sizes) + b"0\r\n\r\n"
        body = chunked([framed], UNSIGNED_TRAILER, sum(sizes))
        if bad is None:
            assert len(await collect(body)) == sum(sizes)
            return
        error = await refusal(body)
        assert error.code == "InvalidChunkSizeError"
        assert error.fields == {"Chunk": str(bad[0]), "BadChunkSize": str(bad[1])}


class TestTrailers:
    CRC = "x-amz-checksum-crc64nvme"

    @pytest.mark.parametrize(
        "ending",
        [
            "x-amz-checksum-crc64nvme:M3eFcAZSQlc=\r\n\r\n",
            "X-Amz-Checksum-CRC64NVME: M3eFcAZSQlc= \r\n\r\n",
            "x-amz-checksum-crc64nvme:M3eFcAZSQlc=\n\r\n\r\n",
            "x-amz-checksum-crc64nvme:M3eFcAZSQlc=\n\n",
        ],
    )
    async def test_checksum(self, ending):
        framed = b"5\r\nhello\r\n0\r\n" + ending.encode()
        for messages in ([framed], [framed[at : at + 1] for at in range(len(framed))]):
            body = chunked(messages, UNSIGNED_TRAILER, 5, self.CRC)
            assert body.trailers == {}
            assert await collect(body) == b"hello"
            assert body.trailers == {self.CRC: "M3eFcAZSQlc="}

    async def test_none_promised_none_sent(self):
        body = chunked([b"5\r\nhello\r\n0\r\n\r\n"], UNSIGNED_TRAILER, 5)
        assert await collect(body) == b"hello"
        assert body.trailers == {}

    @pytest.mark.parametrize(
        ("promised", "ending", "code"),
        [
            (CRC, "\r\n", MALFORMED),
            (CRC, ":M3eFcAZSQlc=\r\n\r\n", MALFORMED),
            (CRC, "x-amz-checksum-crc64nvme\r\n\r\n", MALFORMED),
            (CRC, "x-amz-checksum-sha1:M3eFcAZSQlc=\r\n\r\n", MALFORMED),
            (CRC, "x-amz-trailer-signature:" + "0" * 64 + "\r\n\r\n", MALFORMED),
            ("", "x-amz-checksum-crc64nvme:M3eFcAZSQlc=\r\n\r\n", MALFORMED),
            (CRC, "x-amz-checksum-crc64nvme:a\r\nx-amz-checksum-crc64nvme:b\r\n\r\n", INCOMPLETE),
            (CRC, "x-amz-checksum-crc64nvme:a\r\nx-amz-checksum-sha1:b\r\n\r\n", INCOMPLETE),
            (CRC, "x-amz-checksum-crc64nvme:a\r\n", INCOMPLETE),
            (CRC, "x-amz-checksum-crc64nvme:" + "a" * 2000 + "\r\n\r\n", INCOMPLETE),
        ],
    )
    async def test_not_as_promised(self, promised, ending, code):
        framed = b"5\r\nhello\r\n0\r\n" + ending.encode()
        assert (await refusal(chunked([framed], UNSIGNED_TRAILER, 5, promised))).code == code

    @pytest.mark.parametrize("name", ["x-amz-meta-a", "content-md5", "x-amz-checksum-crc31"])
    def test_unsupported(self, name):
        with pytest.raises(S3Error) as caught:
            chunked([], UNSIGNED_TRAILER, 5, name)
        assert caught.value.code == "InvalidRequest"
        assert caught.value.message == "The value specified in the x-amz-trailer header is not supported"
