"""The shape of an error, whatever it is.

https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from conformance.raw import Answer, Raw, Request


def check(answer: Answer, resource: str | None = None) -> None:
    assert answer.header("content-type") == "application/xml"
    assert answer.root.tag == "Error"  # without a namespace
    assert [child.tag for child in answer.root][:2] == ["Code", "Message"]
    assert answer.text("Message")
    assert re.fullmatch(r"[0-9A-F]{16}", answer.text("RequestId") or "")
    assert answer.text("RequestId") == answer.header("x-amz-request-id")
    assert answer.text("HostId") == answer.header("x-amz-id-2")
    if resource is not None:
        assert answer.text("Resource") == resource


def test_every_answer_has_ids_server_and_date(raw: Raw, bucket: str) -> None:
    ids = set()
    for answer in (raw.get("/"), raw.get(f"/{bucket}"), raw.head(f"/{bucket}/none"), raw.put("/Bad-Name")):
        assert answer.header("server") == "Ducket"
        assert answer.header("date")
        assert answer.header("x-amz-id-2")
        assert re.fullmatch(r"[0-9A-F]{16}", answer.header("x-amz-request-id") or "")
        ids.add(answer.header("x-amz-request-id"))
    assert len(ids) == 4


def test_shape_of_errors(raw: Raw, bucket: str) -> None:
    check(raw.get("/there-is-no-such-bucket"), "/there-is-no-such-bucket")
    check(raw.get(f"/{bucket}/no-such-key"), f"/{bucket}/no-such-key")
    check(raw.put(f"/{bucket}/key", headers={"Content-MD5": "nonsense"}), f"/{bucket}/key")
    check(raw.send(raw.plain("GET", "/")), "/")
    check(raw.post(f"/{bucket}", b"nonsense", {"delete": ""}, {"Content-MD5": "nonsense"}))


def test_odd_characters_are_escaped(raw: Raw, bucket: str) -> None:
    answer = raw.get(f"/{bucket}/<&>\r\x7f😀")
    assert (answer.code, answer.text("Key")) == ("NoSuchKey", "<&>\r\x7f😀")


@pytest.mark.parametrize("method", ["PATCH", "TRACE", "POST"])
def test_method_that_is_not_allowed(raw: Raw, bucket: str, method: str) -> None:
    answer = raw.send(raw.prepare(method, f"/{bucket}/key"))
    assert (answer.status, answer.code) == (405, "MethodNotAllowed")
    assert (answer.text("Method"), answer.text("ResourceType")) == (method, "OBJECT")


@pytest.mark.parametrize("method", ["DELETE", "PUT", "POST"])
def test_method_that_is_not_allowed_on_the_service(raw: Raw, method: str) -> None:
    answer = raw.send(raw.prepare(method, "/"))
    assert (answer.status, answer.code) == (405, "MethodNotAllowed")


def test_unknown_query_is_overlooked(raw: Raw, s3: Any, bucket: str) -> None:
    s3.put_object(Bucket=bucket, Key="key", Body=b"body")
    assert raw.get(f"/{bucket}/key", {"x-id": "GetObject", "utm_source": "mail"}).body == b"body"


def test_entities_in_xml_are_not_expanded(raw: Raw, bucket: str) -> None:
    body = b'<!DOCTYPE t [<!ENTITY e SYSTEM "file:///etc/passwd">]><Tagging><TagSet><Tag><Key>a</Key><Value>&e;</Value></Tag></TagSet></Tagging>'
    answer = raw.put_document(f"/{bucket}", body, {"tagging": ""})
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_xml_without_end_or_depth_is_refused(raw: Raw, bucket: str) -> None:
    for body in (b"<a>" * 10_000, b"<Tagging>" + b"<TagSet>" * 500 + b"</TagSet>" * 500 + b"</Tagging>"):
        answer = raw.put_document(f"/{bucket}", body, {"tagging": ""})
        assert (answer.status, answer.code) == (400, "MalformedXML")


def test_xml_of_many_megabytes_is_refused(raw: Raw, bucket: str) -> None:
    body = b"<Tagging><TagSet>" + b" " * (20 * 1024 * 1024) + b"</TagSet></Tagging>"
    answer = raw.put_document(f"/{bucket}", body, {"tagging": ""})
    assert answer.status == 400
    assert answer.code in ("MalformedXML", "MaxMessageLengthExceeded", "EntityTooLarge")


def test_xml_with_a_declaration_and_a_byte_order_mark(raw: Raw, s3: Any, bucket: str) -> None:
    tag = "<Tag><Key>ü</Key><Value>é</Value></Tag>"
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<Tagging><TagSet>{tag}</TagSet></Tagging>'
    for encoding in ("utf-8", "utf-8-sig"):
        assert raw.put_document(f"/{bucket}", text.encode(encoding), {"tagging": ""}).status == 204
        assert s3.get_bucket_tagging(Bucket=bucket)["TagSet"] == [{"Key": "ü", "Value": "é"}]


def test_expected_owner_that_is_another(raw: Raw, bucket: str) -> None:
    for method, path in (("GET", f"/{bucket}"), ("PUT", f"/{bucket}/key"), ("DELETE", f"/{bucket}/key")):
        answer = raw.send(raw.prepare(method, path, headers={"x-amz-expected-bucket-owner": "111122223333"}))
        assert (answer.status, answer.code) == (403, "AccessDenied")


def test_expected_owner_that_is_the_owner(raw: Raw, s3: Any, bucket: str) -> None:
    owner = s3.list_buckets()["Owner"]["ID"]
    for expected in (owner, "000000000000"):
        assert raw.get(f"/{bucket}", headers={"x-amz-expected-bucket-owner": expected}).status == 200


@pytest.mark.parametrize("expected", ["0000", "0000000000020", "abcd", "aa000000000$"])
def test_expected_owner_that_is_no_account(raw: Raw, bucket: str, expected: str) -> None:
    answer = raw.get(f"/{bucket}", headers={"x-amz-expected-bucket-owner": expected})
    assert (answer.status, answer.code) == (400, "InvalidBucketOwnerAWSAccountID")
    assert f"must be an AWS Account ID... [{expected}]".encode() in answer.body


def test_nonsense_on_the_line_does_not_stop_the_server(raw: Raw) -> None:
    for nonsense in (
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with raw.connect() as connection:
            connection.write(nonsense)
    assert raw.get("/").status == 200


def test_host_that_is_missing(raw: Raw) -> None:
    request = raw.prepare("GET", "/")
    del request.headers["Host"]
    assert raw.send(Request("GET", "/", request.headers)).status in (400, 403)
