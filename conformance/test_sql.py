"""`/-/sql`: the catalog in SQL over HTTP, signed by botocore as any request to S3."""

from __future__ import annotations

import csv
import io
import json
import socket
import time
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pyarrow as pa
import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from conformance.conftest import ALICE
from conformance.raw import Answer, Raw
from conformance.server import REGION, Keys, Server

ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000000000) b"


def signed(server: Server, statement: str, target: str = "/-/sql", keys: Keys | None = None, **headers: str) -> Any:
    request = AWSRequest("POST", server.url + target, headers, statement.encode())
    keys = keys or server.keys
    S3SigV4Auth(Credentials(keys.access, keys.secret), "s3", REGION).add_auth(request)
    return request.prepare()


def ask(server: Server, statement: str, target: str = "/-/sql", keys: Keys | None = None, **headers: str) -> Answer:
    request = signed(server, statement, target, keys, **headers)
    line = HTTPConnection(server.host, server.port)
    line.request("POST", target, request.body, dict(request.headers.items()))
    response = line.getresponse()
    answer = Answer(response.status, response.getheaders(), response.read())
    line.close()
    return answer


def rows(answer: Answer) -> list[dict[str, Any]]:
    assert answer.status == 200, answer.body
    return [json.loads(line) for line in answer.body.splitlines()]


def test_an_answer_is_json_lines_unless_told_otherwise(server: Server, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="a/ä", Body=b"12345", Metadata={"owner": "wanda"})
    answer = ask(server, f"SELECT key, size, user_metadata, e_tag, NULL AS n FROM objects WHERE bucket = '{bucket}'")
    assert answer.header("content-type") == "application/x-ndjson"
    assert rows(answer) == [
        {
            "key": "a/ä",
            "size": 5,
            "user_metadata": {"owner": "wanda"},
            "e_tag": "827ccb0eea8a706c4c34a16891f84e7b",
            "n": None,
        }
    ]


def test_the_format_is_named_in_the_url_or_by_accept(server: Server) -> None:
    statement = "SELECT range AS n, 'a,\"b\"' AS t, NULL AS e FROM range(40000)"
    for answer in (ask(server, statement, "/-/sql?format=csv"), ask(server, statement, Accept="text/csv")):
        assert answer.header("content-type") == "text/csv; charset=utf-8"
        found = list(csv.reader(io.StringIO(answer.body.decode())))
        assert found[0] == ["n", "t", "e"]
        assert found[1:] == [[str(n), 'a,"b"', ""] for n in range(40_000)]
    stream = "application/vnd.apache.arrow.stream"
    for answer in (ask(server, statement, "/-/sql?format=arrow"), ask(server, statement, Accept=f"{stream}, */*")):
        assert answer.header("content-type") == stream
        table = pa.ipc.open_stream(answer.body).read_all()
        assert table.column_names == ["n", "t", "e"]
        assert table["n"].to_pylist() == list(range(40_000))
    assert ask(server, statement, "/-/sql?format=xml").code == "InvalidArgument"
    assert ask(server, statement, Accept="image/png").code == "InvalidArgument"


def test_a_result_without_rows_has_its_columns_all_the_same(server: Server) -> None:
    statement = "SELECT 1 AS a, 'x' AS b WHERE false"
    assert ask(server, statement).body == b""
    assert ask(server, statement, "/-/sql?format=csv").body == b'"a","b"\n'
    assert pa.ipc.open_stream(ask(server, statement, "/-/sql?format=arrow").body).read_all().column_names == ["a", "b"]


def test_a_presigned_url_asks_by_get(server: Server) -> None:
    request = AWSRequest("GET", f"{server.url}/-/sql", params={"query": "SELECT 1 + 1 AS two", "format": "csv"})
    credentials = Credentials(server.keys.access, server.keys.secret)
    S3SigV4QueryAuth(credentials, "s3", REGION, expires=60).add_auth(request)
    line = HTTPConnection(server.host, server.port)
    line.request("GET", request.prepare().url.removeprefix(server.url))
    response = line.getresponse()
    assert (response.status, response.read()) == (200, b'"two"\n2\n')


def test_every_write_that_was_answered_is_seen(server: Server, s3: Any, bucket: str) -> None:
    for count in range(1, 6):
        s3.put_object(Bucket=bucket, Key=f"k{count}", Body=b"x" * count)
        found = rows(ask(server, f"SELECT count(*) AS n, sum(size) AS s FROM objects WHERE bucket = '{bucket}'"))
        assert found == [{"n": count, "s": sum(range(count + 1))}]


def test_who_signs_wrongly_or_not_at_all_is_told_nothing(server: Server, raw: Raw) -> None:
    wrong = Keys(server.keys.access, "another-secret")
    assert ask(server, "SELECT 1", keys=wrong).code == "SignatureDoesNotMatch"
    assert ask(server, "SELECT 1", keys=Keys("NOBODY", "another-secret")).code == "InvalidAccessKeyId"
    assert raw.send(raw.plain("POST", "/-/sql", body=b"SELECT 1")).code == "AccessDenied"
    changed = raw.prepare("POST", "/-/sql", body=b"SELECT 1")
    changed.body = b"SELECT 2"
    assert raw.send(changed).code == "XAmzContentSHA256Mismatch"


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("DROP VIEW objects", "read only"),
        ("SELECT 1; SELECT 2", "one statement"),
        ("FROM private.users", "no table private.users"),
        ("SELECT nonsense FROM objects", "nonsense"),
        ("SELEC 1", "syntax error"),
        ("SELECT CAST('x' || range AS INTEGER) FROM range(10)", "Could not convert"),
        ("", "no statement"),
    ],
)
def test_what_cannot_be_answered_is_an_error_with_its_reason(server: Server, statement: str, message: str) -> None:
    answer = ask(server, statement)
    assert (answer.status, answer.code) == (400, "InvalidRequest")
    assert message in (answer.text("Message") or "")
    assert answer.header("x-amz-request-id") == answer.text("RequestId")


def test_other_methods_are_refused(raw: Raw) -> None:
    answer = raw.put("/-/sql", b"SELECT 1")
    assert (answer.status, answer.code, answer.header("allow")) == (405, "MethodNotAllowed", "GET, POST")


def test_a_user_sees_the_rows_of_its_own_buckets(
    server: Server, s3: Any, alice: Any, bucket: str, new_name: Callable[[str], str]
) -> None:
    own = new_name("alices")
    alice.create_bucket(Bucket=own)
    alice.put_object(Bucket=own, Key="mine", Body=b"1")
    s3.put_object(Bucket=bucket, Key="roots", Body=b"22")
    places = f"bucket IN ('{own}', '{bucket}')"
    for view in ("objects", "versions", "journal", "buckets", "usage"):
        statement = f"SELECT DISTINCT bucket FROM {view} WHERE {places}"
        assert rows(ask(server, statement, keys=ALICE)) == [{"bucket": own}]
        assert len(rows(ask(server, statement))) == 2


def test_a_query_ends_when_its_client_hangs_up(server: Server) -> None:
    for _ in range(8):  # more than run at a time: if they went on, the last query would wait for ever
        request = signed(server, ENDLESS)
        with socket.create_connection((server.host, server.port)) as line:
            headers = "".join(f"{name}: {value}\r\n" for name, value in request.headers.items())
            host = f"Host: {server.host}:{server.port}\r\n"
            line.sendall(f"POST /-/sql HTTP/1.1\r\n{host}{headers}\r\n".encode() + request.body)
            time.sleep(0.05)
    assert rows(ask(server, "SELECT 1 AS a")) == [{"a": 1}]


def test_a_client_that_leaves_in_the_middle_of_an_answer_ends_it(server: Server) -> None:
    for _ in range(8):
        request = signed(server, "SELECT range, 'x' FROM range(10000000000)")
        line = HTTPConnection(server.host, server.port)
        line.request("POST", "/-/sql", request.body, dict(request.headers.items()))
        assert len(line.getresponse().read(100_000)) == 100_000
        line.close()
    assert rows(ask(server, "SELECT 1 AS a")) == [{"a": 1}]
