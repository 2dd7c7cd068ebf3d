from __future__ import annotations

import logging
import threading
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from catalog import Catalog
from catalog.records import Origin, User
from catalog.requests import Served, frames, waiting
from gateway import endpoint as module
from gateway.blobs import Blobs
from gateway.endpoint import Endpoint
from gateway.s3 import read
from gateway.s3.model import operations
from gateway.s3.rendered import Rendered
from gateway.settings import Settings
from tests.gateway.asgi import Answer, ask
from tests.gateway.conftest import ALICE, ROOT

ORIGIN = Origin()


@pytest.fixture
def endpoint(catalog: Catalog, settings: Settings) -> Endpoint:
    catalog.create_user(ORIGIN, ALICE)
    return Endpoint(catalog, Blobs(settings.data), settings, ROOT)


async def asked(
    endpoint: Endpoint,
    method: str = "GET",
    target: str = "/",
    *,
    caller: User = ROOT,
    headers: dict[str, str] | None = None,
    body: bytes = b"",
    chunks: list[bytes] | None = None,
    **more: Any,
) -> Answer:
    """Signed as an SDK would."""
    sending = {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"} | (headers or {})
    if body or chunks is not None:
        sending |= {"content-length": str(len(body) or sum(map(len, chunks or [])))}
    request = AWSRequest(method, f"http://127.0.0.1:9000{target}", sending, b"")
    SigV4Auth(Credentials(caller.access_key, caller.secret_key), "s3", "us-east-1").add_auth(request)
    signed = {name.lower(): value for name, value in request.headers.items()}
    return await ask(endpoint, method, target, signed, chunks if chunks is not None else [body], **more)


async def test_an_answer_bears_the_ids_of_its_request(endpoint: Endpoint) -> None:
    first, second = await asked(endpoint, "PUT", "/made"), await asked(endpoint, "GET", "/made")
    assert first.status == second.status == 200
    assert len(first.headers["x-amz-request-id"]) == 16
    assert first.headers["x-amz-request-id"] != second.headers["x-amz-request-id"]
    assert first.headers["x-amz-id-2"]


@pytest.mark.parametrize(("parts", "beside"), [(1, False), (1000, True)])
async def test_a_long_document_is_parsed_beside_the_loop(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, parts: int, beside: bool
) -> None:
    threads = []
    parse = read._parse

    def noting(document: bytes) -> Any:
        threads.append(threading.current_thread())
        return parse(document)

    monkeypatch.setattr(read, "_parse", noting)
    await asked(endpoint, "PUT", "/made")
    named = "".join(f"<Part><PartNumber>{n}</PartNumber><ETag>{n:060x}</ETag></Part>" for n in range(1, parts + 1))
    body = f"<CompleteMultipartUpload>{named}</CompleteMultipartUpload>".encode()
    answer = await asked(endpoint, "POST", "/made/key?uploadId=none", body=body)
    assert (answer.status, b"NoSuchUpload" in answer.body) == (404, True)
    assert [thread is not threading.main_thread() for thread in threads] == [beside]


async def test_an_error_has_the_same_ids_in_its_body(endpoint: Endpoint) -> None:
    answer = await asked(endpoint, "GET", "/absent/key")
    assert (answer.status, answer.headers["content-type"]) == (404, "application/xml")
    assert f"<RequestId>{answer.headers['x-amz-request-id']}</RequestId>" in answer.body.decode()
    assert "<Resource>/absent/key</Resource>" in answer.body.decode()


async def test_head_has_no_body_even_in_an_error(endpoint: Endpoint) -> None:
    answer = await asked(endpoint, "HEAD", "/absent")
    assert (answer.status, answer.body, answer.whole) == (404, b"", True)


@pytest.mark.parametrize("target", ["/b%zz", "/bucket/" + "k" * 1025])
async def test_a_request_that_cannot_be_read_is_answered(endpoint: Endpoint, target: str) -> None:
    answer = await asked(endpoint, "GET", target)
    assert answer.status == 400
    assert answer.headers["x-amz-request-id"]


async def test_the_anonymous_is_refused(endpoint: Endpoint) -> None:
    await asked(endpoint, "PUT", "/made")
    for target in ("/", "/made", "/made/key"):
        assert b"<Code>AccessDenied</Code>" in (await ask(endpoint, "GET", target)).body


async def test_a_user_reaches_own_buckets_only(endpoint: Endpoint) -> None:
    await asked(endpoint, "PUT", "/roots")
    await asked(endpoint, "PUT", "/hers", caller=ALICE)
    assert (await asked(endpoint, "GET", "/roots", caller=ALICE)).status == 403
    assert (await asked(endpoint, "GET", "/hers", caller=ALICE)).status == 200
    assert (await asked(endpoint, "GET", "/hers")).status == 200
    assert (await asked(endpoint, "GET", "/absent", caller=ALICE)).status == 404


async def test_a_user_who_was_deleted_is_unknown_at_once(endpoint: Endpoint) -> None:
    assert (await asked(endpoint, caller=ALICE)).status == 200
    endpoint.catalog.delete_user(ORIGIN, "alice")
    assert b"<Code>InvalidAccessKeyId</Code>" in (await asked(endpoint, caller=ALICE)).body


async def test_the_bucket_may_be_expected_to_be_of_somebody(endpoint: Endpoint) -> None:
    await asked(endpoint, "PUT", "/made")
    right = {"x-amz-expected-bucket-owner": ROOT.id}
    assert (await asked(endpoint, "GET", "/made", headers=right)).status == 200
    wrong = {"x-amz-expected-bucket-owner": ALICE.id}
    assert b"<Code>AccessDenied</Code>" in (await asked(endpoint, "GET", "/made", headers=wrong)).body


async def test_an_operation_that_is_not_built_is_named(endpoint: Endpoint) -> None:
    await asked(endpoint, "PUT", "/made")
    answer = await asked(endpoint, "PUT", "/made?accelerate")
    assert answer.status == 501
    assert b"PutBucketAccelerateConfiguration" in answer.body


async def test_what_went_wrong_inside_is_logged_and_not_shown(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret particulars")

    monkeypatch.setattr(endpoint.catalog, "buckets", fail)
    with caplog.at_level(logging.ERROR):
        answer = await asked(endpoint)
    assert answer.status == 500
    assert b"<Code>InternalError</Code>" in answer.body
    assert b"secret" not in answer.body
    (record,) = caplog.records
    assert record.__dict__["request_id"] == answer.headers["x-amz-request-id"]
    assert "secret particulars" in caplog.text


async def test_a_refused_client_need_not_send_its_body(endpoint: Endpoint) -> None:
    answer = await asked(
        endpoint, "PUT", "/absent/key", headers={"expect": "100-continue"}, chunks=[b"x" * 100], caller=ALICE
    )
    assert (answer.status, answer.taken, answer.headers["connection"]) == (404, 0, "close")


async def test_a_small_body_that_nobody_read_costs_no_connection(endpoint: Endpoint) -> None:
    answer = await asked(endpoint, "PUT", "/absent/key", body=b"x" * 1000)
    assert (answer.status, "connection" in answer.headers) == (404, False)


async def test_a_large_one_ends_the_connection_once_the_client_had_time_to_see_why(endpoint: Endpoint) -> None:
    chunks = [b"x" * 100_000] * 20
    answer = await asked(endpoint, "PUT", "/absent/key", chunks=chunks)
    assert (answer.status, answer.headers["connection"], answer.whole) == (404, "close", True)
    assert answer.taken == len(chunks)


async def test_nobody_listens_without_end_to_a_body_that_was_refused(
    endpoint: Endpoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "LINGER_BYTES", 1_000_000)
    answer = await asked(endpoint, "PUT", "/absent/key", chunks=[b"x" * 100_000] * 20)
    assert (answer.whole, answer.taken) == (True, 10)


class Chunks:
    def __init__(self, chunks: list[bytes | Exception]) -> None:
        self.chunks = chunks
        self.given = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self.chunks:
            if isinstance(chunk, Exception):
                raise chunk
            self.given += 1
            yield chunk

    async def aclose(self) -> None:
        self.closed = True


@pytest.fixture
def streaming(monkeypatch: pytest.MonkeyPatch) -> Any:
    """ListBuckets answers with these chunks."""

    def answer_with(*chunks: bytes | Exception) -> Chunks:
        body = Chunks(list(chunks))
        monkeypatch.setattr(operations["ListBuckets"], "render", lambda output: Rendered(200, b"", body))
        return body

    return answer_with


async def test_a_long_body_is_sent_chunk_by_chunk(endpoint: Endpoint, streaming: Any) -> None:
    body = streaming(b"a", b"b", b"c")
    answer = await asked(endpoint)
    assert (answer.body, answer.whole, body.closed) == (b"abc", True, True)


async def test_a_body_that_breaks_off_has_no_end(
    endpoint: Endpoint, streaming: Any, caplog: pytest.LogCaptureFixture
) -> None:
    body = streaming(b"a", OSError("the disk is gone"))
    answer = await asked(endpoint)
    assert (answer.body, answer.whole, body.closed) == (b"a", False, True)
    assert "the disk is gone" in caplog.text


async def test_nothing_more_is_read_for_a_client_that_hung_up(endpoint: Endpoint, streaming: Any) -> None:
    body = streaming(*[b"x"] * 1000)
    await asked(endpoint, hang_up_after=3)
    assert body.given < 10
    assert body.closed


async def test_each_request_is_recorded_unless_none_shall_be(catalog: Catalog, settings: Settings) -> None:
    for days, expected in ((0, []), (30, [200, 404])):
        endpoint = Endpoint(catalog, Blobs(settings.data), replace(settings, access_log_days=days), ROOT)
        await asked(endpoint, "PUT", "/made")
        await asked(endpoint, "GET", "/made/absent")
        endpoint.close()
        assert [served["http_status"] for served in recorded(settings.data)] == expected


async def test_an_answer_that_broke_off_is_recorded(
    endpoint: Endpoint, settings: Settings, streaming: Any, caplog: pytest.LogCaptureFixture
) -> None:
    streaming(b"a", OSError("the disk is gone"))
    await asked(endpoint)
    endpoint.close()
    (served,) = recorded(settings.data)
    assert (served["http_status"], served["error_code"]) == (200, "InternalError")


def recorded(data: Path) -> list[dict[str, Any]]:
    rows = [row for path in waiting(data) for frame in frames(path) for row in msgspec.msgpack.decode(frame)]
    return [dict(zip(Served._fields, row, strict=True)) for row in rows]


async def test_each_request_is_logged_if_asked_for(catalog: Catalog, settings: Settings, tmp_path: Path) -> None:
    logging_too = replace(settings, request_log=str(tmp_path / "requests.log"))
    endpoint = Endpoint(catalog, Blobs(settings.data), logging_too, ROOT)
    answer = await asked(endpoint, "GET", "/absent")
    endpoint.close()
    line = (tmp_path / "requests.log").read_text()
    for expected in ('"error":"NoSuchBucket"', '"operation":"ListObjects"', answer.headers["x-amz-request-id"]):
        assert expected in line
