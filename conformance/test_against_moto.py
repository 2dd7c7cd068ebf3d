"""The same boto3 calls to moto and to Ducket: where the answers differ, AWS's documented one is given and held to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from conformance.conftest import ALICE
from conformance.moto_calls import CALLS
from conformance.moto_differences import ABSENT, DIFFERENCES, EVERYWHERE, Pair
from conformance.server import boto3_client

UNCOMPARED = {"HTTPHeaders", "RequestId", "HostId", "RetryAttempts", "Message", "Resource"}
BY_CHANCE = {
    *("VersionId", "NextVersionIdMarker", "UploadId", "NextUploadIdMarker"),
    *("ContinuationToken", "NextContinuationToken", "ID"),
}


@pytest.fixture(scope="session")
def moto() -> Iterator[Any]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield boto3_client(f"http://{host}:{port}", ALICE)
    server.stop()


@pytest.mark.parametrize("name", CALLS)
def test_answers(s3: Any, moto: Any, new_name: Callable[[str], str], name: str) -> None:
    bucket = new_name("moto")
    ours, theirs = (answer(client, bucket, name) for client in (s3, moto))
    found = {
        path: (ours.get(path, ABSENT), theirs.get(path, ABSENT))
        for path in sorted(ours.keys() | theirs.keys())
        if ours.get(path, ABSENT) != theirs.get(path, ABSENT)
    }
    particular = {path: pair for path, pair in found.items() if not is_everywhere(path, pair)}
    assert particular == (DIFFERENCES[name].fields if name in DIFFERENCES else {})


def test_each_difference_belongs_to_a_call() -> None:
    assert DIFFERENCES.keys() <= CALLS.keys()


def is_everywhere(path: str, pair: Pair) -> bool:
    names = [name for name in path.split(".") if not name.isdigit()]
    return names[-1] in EVERYWHERE and EVERYWHERE[names[-1]].holds(pair)


def answer(client: Any, bucket: str, name: str) -> dict[str, Any]:
    client.create_bucket(Bucket=bucket)
    try:
        return dict(flat(CALLS[name](client, bucket), bucket))
    except ClientError as error:
        return dict(flat(error.response, bucket))


def flat(value: Any, bucket: str, path: str = "") -> Iterator[tuple[str, Any]]:
    """Each leaf with the path to it; what is left to chance is only there or not."""
    if isinstance(value, dict):
        for name, inner in value.items():
            if name not in UNCOMPARED:
                yield from flat("(some)" if name in BY_CHANCE and inner != "null" else inner, bucket, f"{path}.{name}")
    elif isinstance(value, list | tuple):
        for number, inner in enumerate(value):
            yield from flat(inner, bucket, f"{path}.{number}")
    elif isinstance(value, datetime):
        yield path, "(time)"
    elif hasattr(value, "read"):
        yield path, value.read()
    elif isinstance(value, str):
        yield path, value.replace(bucket, "(bucket)")
    else:
        yield path, value
