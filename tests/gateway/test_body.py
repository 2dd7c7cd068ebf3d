from __future__ import annotations

import asyncio
import hmac
import io
from hashlib import sha256
from itertools import pairwise

import pytest
from botocore.httpchecksum import AwsChunkedWrapper, Crc32Checksum
from hypothesis import example, given
from hypothesis import strategies as st

from gateway.auth.chunks import ChunkSignatures
from gateway.auth.payload import Payload
from gateway.auth.signing import signing_key
from gateway.body import INLINE_HASH_SIZE, MAX_UPLOAD_SIZE, ClientDisconnect, open_body
from gateway.request import Request
from gateway.s3.errors import S3Error

SECRET, STAMP, SCOPE = "secret", "20130524T000000Z", "20130524/us-east-1/s3/aws4_request"
SEED = "5" * 64
UNSIGNED = Payload()
UNSIGNED_TRAILER = Payload(chunked=True, trailer=True)
MALFORMED, INCOMPLETE = "MalformedTrailerError", "IncompleteBody"


def signatures():
    return ChunkSignatures(signing_key(SECRET, "20130524", "us-east-1"), "AKID", STAMP, SCOPE, SEED)


def signed(trailer=False):
    return Payload(chunked=True, trailer=trailer, signatures=signatures())


def body_of(messages, payload, **headers):
    """A body that arrives in `messages`; None stands for a client that hangs up."""
    queue = [
        {"type": "http.disconnect"} if data is None else {"type": "http.request", "body": data, "more_body": True}
        for data in messages
    ]
    if messages and messages[-1] is not None:
        queue[-1]["more_body"] = False

    async def receive():
        return queue.pop(0)

    named = {name.replace("_", "-"): str(value) for name, value in headers.items()}
    scope = {
        "method": "PUT",
        "raw_path": b"/b/k",
        "query_string": b"",
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in named.items()],
    }
    return open_body(Request.from_scope(scope, receive), payload)


async def collect(body):
    return b"".join([bytes(piece) async for piece in body])


def chunked(messages, payload, length, trailer=""):
    return body_of(messages, payload, x_amz_decoded_content_length=length, x_amz_trailer=trailer)


async def refusal(body):
    with pytest.raises(S3Error) as caught:
        await collect(body)
    return caught.value


def sign(text, previous, kind, empty=""):
    """As the reference describes it, by plain hmac."""
    key = b"AWS4" + SECRET.encode()
    for part in SCOPE.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    lines = [f"AWS4-HMAC-SHA256-{kind}", STAMP, SCOPE, previous, empty, sha256(text).hexdigest()]
    return hmac.digest(key, "\n".join(filter(None, lines)).encode(), "sha256").hex()


def frame(chunks, trailers=None):
    previous, framed = SEED, b""
    for chunk in [*chunks, b""]:
        previous = sign(chunk, previous, "PAYLOAD", sha256(b"").hexdigest())
        framed += b"%x;chunk-signature=%s\r\n" % (len(chunk), previous.encode())
        framed += chunk + b"\r\n" if chunk else b""
    if trailers is not None:
        lines = "".join(f"{name}:{value}\n" for name, value in sorted(trailers.items()))
        framed += lines.replace("\n", "\r\n").encode()
        framed += f"x-amz-trailer-signature:{sign(lines.encode(), previous, 'TRAILER')}\r\n".encode()
    return framed + b"\r\n"


def cut(data, *places):
    edges = [0, *sorted(places), len(data)]
    return [data[start:stop] for start, stop in pairwise(edges)]


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
