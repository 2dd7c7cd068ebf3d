"""The two examples of AWS from their first byte to their last.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
"""

from __future__ import annotations

from hashlib import sha256

import pytest

from gateway.auth.chunks import ChunkSignatures
from gateway.auth.signing import signing_key
from gateway.s3.errors import S3Error

STAMP = "20130524T000000Z"
SCOPE = "20130524/us-east-1/s3/aws4_request"
COMMON = {
    "host": "s3.amazonaws.com",
    "x-amz-date": STAMP,
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "content-encoding": "aws-chunked",
    "x-amz-decoded-content-length": "66560",
}
PLAIN = COMMON | {
    "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD",
    "content-length": "66824",
}
TRAILER = COMMON | {
    "x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER",
    "content-length": "66946",
    "x-amz-trailer": "x-amz-checksum-crc32c",
}
PLAIN_SEED = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
TRAILER_SEED = "106e2a8a18243abcf37539882f36619c00e2dfc72633413f02d3b74544bfeb8e"
PLAIN_CHUNKS = [
    (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
    (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
    (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
]
TRAILER_CHUNKS = [
    (65536, "b474d8862b1487a5145d686f57f013e54db672cee1c953b3010fb58501ef5aa2"),
    (1024, "1c1344b170168f8e65b41376b44b20fe354e373826ccbbe2c1d40a8cae51e5c7"),
    (0, "2ca2aba2005185cf7159c6277faf83795951dd77a3a99e6e65d5c9f85863f992"),
]
TRAILERS_SIGNATURE = "d81f82fc3505edab99d459891051a732e8730629a2e4a59689829ca17fe2e435"


def chain(s3, seed):
    return ChunkSignatures(signing_key(s3.secret, "20130524", s3.region), s3.key, STAMP, SCOPE, seed)


@pytest.mark.parametrize(
    ("headers", "seed", "signed"),
    [
        (
            PLAIN,
            PLAIN_SEED,
            "content-encoding;content-length;host;x-amz-content-sha256;x-amz-date;"
            "x-amz-decoded-content-length;x-amz-storage-class",
        ),
        (
            TRAILER,
            TRAILER_SEED,
            "content-encoding;host;x-amz-content-sha256;x-amz-date;"
            "x-amz-decoded-content-length;x-amz-storage-class;x-amz-trailer",
        ),
    ],
)
def test_seed_is_the_signature_of_the_head(s3, headers, seed, signed):
    text = f"AWS4-HMAC-SHA256 Credential={s3.key}/{SCOPE},SignedHeaders={signed},Signature={seed}"
    request = s3.make("PUT", "/examplebucket/chunkObject.txt", headers | {"authorization": text})
    payload = s3.check(request, s3.example_time).payload
    assert payload.chunked
    assert payload.trailer == ("x-amz-trailer" in headers)
    assert payload.signatures is not None
    first = (TRAILER_CHUNKS if payload.trailer else PLAIN_CHUNKS)[0][1]
    payload.signatures.check_chunk(sha256(b"a" * 65536).hexdigest(), first)


@pytest.mark.parametrize(("seed", "chunks"), [(PLAIN_SEED, PLAIN_CHUNKS), (TRAILER_SEED, TRAILER_CHUNKS)])
def test_chunks_of_the_examples(s3, seed, chunks):
    signatures = chain(s3, seed)
    for size, signature in chunks:
        signatures.check_chunk(sha256(b"a" * size).hexdigest(), signature)
    if seed == TRAILER_SEED:
        signatures.check_trailers({"x-amz-checksum-crc32c": "sOO8/Q=="}, TRAILERS_SIGNATURE)


def test_chunks_in_another_order(s3):
    with pytest.raises(S3Error) as caught:
        chain(s3, PLAIN_SEED).check_chunk(sha256(b"a" * 1024).hexdigest(), PLAIN_CHUNKS[1][1])
    assert caught.value.code == "SignatureDoesNotMatch"
    fields = caught.value.fields
    assert fields["AWSAccessKeyId"] == s3.key
    assert fields["SignatureProvided"] == PLAIN_CHUNKS[1][1]
    assert fields["StringToSign"].startswith(f"AWS4-HMAC-SHA256-PAYLOAD\n{STAMP}\n{SCOPE}\n{PLAIN_SEED}\n")
    assert "CanonicalRequest" not in fields


def test_altered_trailer(s3):
    signatures = chain(s3, TRAILER_CHUNKS[-1][1])
    with pytest.raises(S3Error) as caught:
        signatures.check_trailers({"x-amz-checksum-crc32c": "sOO8/A=="}, TRAILERS_SIGNATURE)
    assert caught.value.code == "SignatureDoesNotMatch"
