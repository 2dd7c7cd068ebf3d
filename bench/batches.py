"""Signed requests in batches, one function a kind, and what their answers must be."""

from __future__ import annotations

import hashlib
import os
import zlib
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.load import Batch, Outgoing
from bench.sign import UNSIGNED_TRAILER, Signer

SMALL = 64 * 1024
FOLDER = 20
REST = os.urandom(64 * 1024 * 1024 - 64)


@dataclass(frozen=True)
class Tree:
    """Keys in folders of 20: what is got, headed and listed."""

    count: int = 20_000
    size: int = 4096
    page: int = 1000

    def key(self, number: int) -> str:
        return f"tree/{number // FOLDER:06d}/{number % FOLDER:02d}"

    def keys(self) -> list[str]:
        return [self.key(number) for number in range(self.count)]

    def sample(self, count: int) -> list[str]:
        """So many keys spread over the whole, in an order that jumps about."""
        step = 7919  # a prime: comes to each number before it comes to one again
        return [self.key(number * step % self.count) for number in range(min(count, self.count))]


def put(signer: Signer, bucket: str, keys: Sequence[str], size: int) -> Batch:
    """Each body is another one, and its SHA-256 is signed."""
    requests = []
    for number, key in enumerate(keys):
        unique, shared, digest = _body(key, number, size)
        head = signer.head("PUT", f"/{bucket}/{key}", payload=digest, length=size)
        if size <= SMALL:
            requests.append(Outgoing(head + unique + shared))
        else:
            requests.append(Outgoing(head + unique, shared))
    return Batch(requests, 200, 0)


def put_as_boto3(signer: Signer, bucket: str, keys: Sequence[str], size: int) -> Batch:
    """As boto3 puts over TLS: aws-chunked with a CRC32 in the trailer, and the body waits for 100 Continue.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming-trailers.html
    """
    requests = []
    for number, key in enumerate(keys):
        unique, shared, _ = _body(key, number, size, hashed=False)
        crc = b64encode(zlib.crc32(shared, zlib.crc32(unique)).to_bytes(4, "big"))
        body = b"%x\r\n%b%b\r\n0\r\nx-amz-checksum-crc32:%b\r\n\r\n" % (size, unique, bytes(shared), crc)
        headers = {
            "content-encoding": "aws-chunked",
            "expect": "100-continue",
            "x-amz-decoded-content-length": str(size),
            "x-amz-sdk-checksum-algorithm": "CRC32",
            "x-amz-trailer": "x-amz-checksum-crc32",
        }
        head = signer.head("PUT", f"/{bucket}/{key}", payload=UNSIGNED_TRAILER, length=len(body), headers=headers)
        requests.append(Outgoing(head, memoryview(body)))
    return Batch(requests, 200, 0, expects=True)


def get(signer: Signer, bucket: str, keys: Sequence[str], size: int) -> Batch:
    heads = [signer.head("GET", f"/{bucket}/{key}") for key in keys]
    return Batch([Outgoing(head) for head in heads], 200, size, repeat=True)


def head(signer: Signer, bucket: str, keys: Sequence[str], size: int) -> Batch:
    heads = [signer.head("HEAD", f"/{bucket}/{key}") for key in keys]
    return Batch([Outgoing(head) for head in heads], 200, size, bodiless=True, repeat=True)


def delete(signer: Signer, bucket: str, keys: Sequence[str], size: int) -> Batch:
    heads = [signer.head("DELETE", f"/{bucket}/{key}", length=0) for key in keys]
    return Batch([Outgoing(head) for head in heads], 204)


def list_page(signer: Signer, bucket: str, keys: Sequence[str], page: int) -> Batch:
    """So many keys each, from places all over the bucket: `keys` are what the pages start behind."""
    queries = [{"list-type": "2", "max-keys": f"{page}", "prefix": "tree/", "start-after": key} for key in keys]
    return listed(signer, bucket, queries, page * 150)


def list_folder(signer: Signer, bucket: str, keys: Sequence[str]) -> Batch:
    """The folder of twenty that each of the keys is in."""
    folders = [key.rpartition("/")[0] + "/" for key in keys]
    queries = [{"delimiter": "/", "list-type": "2", "prefix": folder} for folder in folders]
    return listed(signer, bucket, queries, FOLDER * 150)


def listed(signer: Signer, bucket: str, queries: Sequence[dict[str, str]], at_least: int) -> Batch:
    heads = [signer.head("GET", f"/{bucket}", query) for query in queries]
    return Batch([Outgoing(head) for head in heads], 200, at_least=at_least, repeat=True)


def body_of(key: str, number: int, size: int) -> bytes:
    unique, shared, _ = _body(key, number, size, hashed=False)
    return unique + bytes(shared)


def _body(key: str, number: int, size: int, hashed: bool = True) -> tuple[bytes, memoryview, str]:
    unique = f"{key} {number} ".encode().ljust(64, b".")[: min(64, size)]
    shared = memoryview(REST)[: size - len(unique)]
    if not hashed:
        return unique, shared, ""
    digest = hashlib.sha256(unique)
    digest.update(shared)
    return unique, shared, digest.hexdigest()


KEYED: dict[str, Callable[[Signer, str, Sequence[str], int], Batch]] = {
    "PUT": put,
    "PUT-SDK": put_as_boto3,
    "GET": get,
    "HEAD": head,
    "DELETE": delete,
}
