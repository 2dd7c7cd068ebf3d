"""Bodies as clients frame them, and what becomes of them."""

from __future__ import annotations

import hmac
from hashlib import sha256
from itertools import pairwise

import pytest

from gateway.auth.chunks import ChunkSignatures
from gateway.auth.payload import Payload
from gateway.auth.signing import signing_key
from gateway.body import open_body
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
