from __future__ import annotations

import pytest

from gateway.auth.payload import Payload, anonymous_payload, compare_sha256, is_sha256, require_payload_hash
from gateway.s3.errors import S3Error

DIGEST = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"


@pytest.mark.parametrize(
    ("value", "payload"),
    [
        ("UNSIGNED-PAYLOAD", Payload()),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", Payload(chunked=True, trailer=True)),
        (DIGEST, Payload(sha256=DIGEST)),
        (DIGEST.upper(), Payload(sha256=DIGEST)),
        (None, Payload()),
    ],
)
def test_anonymous(s3, value, payload):
    headers = {"host": "h", "content-length": "21"} | ({"x-amz-content-sha256": value} if value else {})
    assert anonymous_payload(s3.make("PUT", "/b/k", headers)) == payload


@pytest.mark.parametrize("value", ["STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"])
def test_nobody_signs_chunks(s3, value):
    with pytest.raises(S3Error) as caught:
        anonymous_payload(s3.make("PUT", "/b/k", {"host": "h", "x-amz-content-sha256": value}))
    assert caught.value.code == "InvalidRequest"
    assert caught.value.message.startswith("Anonymous requests don't support this x-amz-content-sha256 value.")


def test_asymmetric_chunk_signatures_are_not_implemented():
    with pytest.raises(S3Error) as caught:
        require_payload_hash("STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD")
    assert caught.value.code == "NotImplemented"
    assert caught.value.message == (
        "The chunk encoding algorithm STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD is not supported."
    )


@pytest.mark.parametrize("value", ["", "g" * 64, "a" * 63, "a" * 62 + "  ", " ".join(["ab"] * 21) + "a", "\u0661" * 64])
def test_no_sha256(value):
    assert not is_sha256(value)
    with pytest.raises(S3Error) as caught:
        require_payload_hash(value)
    assert caught.value.code == "InvalidArgument"


def test_mismatch():
    compare_sha256(DIGEST, DIGEST)
    with pytest.raises(S3Error) as caught:
        compare_sha256(DIGEST, "0" * 64)
    assert caught.value.code == "XAmzContentSHA256Mismatch"
    assert caught.value.fields == {"ClientComputedContentSHA256": DIGEST, "S3ComputedContentSHA256": "0" * 64}
