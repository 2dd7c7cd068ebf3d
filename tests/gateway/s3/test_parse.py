"""A request becomes the handler's arguments, and nothing that it says is dropped in silence."""

from __future__ import annotations

import pytest

SIGNED = {
    "host": "127.0.0.1:9000",
    "user-agent": "Boto3/1.44",
    "accept-encoding": "identity",
    "authorization": "AWS4-HMAC-SHA256 …",
    "x-amz-date": "20261121T100000Z",
    "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
    "x-amz-security-token": "token",
    "x-amz-decoded-content-length": "5",
    "x-amz-trailer": "x-amz-checksum-crc32",
    "x-amz-user-agent": "aws-sdk-js",
    "amz-sdk-invocation-id": "1",
    "amz-sdk-request": "attempt=1",
    "expect": "100-continue",
    "content-length": "5",
    "connection": "keep-alive",
}
HARMLESS = {
    "x-amz-expected-bucket-owner": "1",
    "x-amz-request-payer": "requester",
    "x-amz-sdk-checksum-algorithm": "CRC32",
}
TAGGING = b"<Tagging><TagSet/></Tagging>"


def test_put_object(table, sent):
    operation = table.take("PutObject", "content_type", "metadata", "checksum_crc32_c", "content_md5")
    body = object()
    headers = (
        SIGNED
        | HARMLESS
        | {
            "content-type": "text/plain",
            "content-md5": "",
            "x-amz-checksum-crc32c": "AAAAAA==",
            "x-amz-meta-mtime": "1",
        }
    )
    assert operation.parse(sent(key="a/é", query={"x-id": "PutObject"}, headers=headers, body=body), None) == {
        "bucket": "bucket",
        "key": "a/é",
        "body": body,
        "content_type": "text/plain",
        "content_md5": "",
        "checksum_crc32_c": "AAAAAA==",
        "metadata": {"mtime": "1"},
    }


def test_nothing_sent_nothing_given(table, sent):
    operation = table.take("ListObjectsV2")
    assert operation.parse(sent(), None) == {"bucket": "bucket"}
    assert table.take("ListBuckets").parse(sent(bucket=None), None) == {}


def test_metadata_matters_only_where_the_operation_has_it(table, sent):
    assert table.take("GetObject").parse(sent(key="k", headers={"x-amz-meta-a": "b"}), None) == {
        "bucket": "bucket",
        "key": "k",
    }


@pytest.mark.parametrize(
    ("name", "header", "value"),
    [
        ("PutObject", "x-amz-acl", "private"),
        ("PutObject", "x-amz-server-side-encryption", "AES256"),
        ("PutObject", "x-amz-website-redirect-location", "/"),
        ("PutObject", "Content-MD5", "x"),
        ("PutObject", "Expires", "x"),
        ("PutObject", "x-amz-checksum-sha512", "x"),
        ("PutObject", "x-amz-meta-a", "b"),
        ("GetObject", "Range", "bytes=0-1"),
        ("GetObject", "If-Modified-Since", "x"),
        ("DeleteObject", "x-amz-mfa", "x"),
        ("PutBucketVersioning", "x-amz-mfa", "x"),
    ],
)
def test_a_header_that_is_not_honoured_is_refused_by_name(table, sent, refused, name, header, value):
    operation = table.take(name, "bucket")
    error = refused(operation.parse, sent(key="k", headers={header.lower(): value}), None)
    assert (error.code, error.status) == ("NotImplemented", 501)
    assert error.fields == {"Header": header}


def test_a_parameter_that_is_not_honoured_is_refused_by_name(table, sent, refused):
    operation = table.take("GetObject", "version_id")
    error = refused(operation.parse, sent(key="k", query={"versionId": "v", "partNumber": "1"}), None)
    assert (error.code, error.fields) == ("NotImplemented", {"Parameter": "partNumber"})


def test_what_the_model_does_not_know_is_passed_over(table, sent):
    operation = table.take("GetObject", "bucket")
    headers = SIGNED | HARMLESS | {"x-amz-id-2": "1", "x-amz-unheard-of": "1", "x-amz-checksum-crc32": "AAAAAA=="}
    query = {"X-Amz-Signature": "s", "X-Amz-Expires": "60", "x-id": "GetObject", "unheard-of": "1", "max-keys": "no"}
    assert operation.parse(sent(key="k", query=query, headers=headers), None) == {"bucket": "bucket", "key": "k"}


@pytest.mark.parametrize(
    ("name", "members"),
    [
        ("PutObject", []),
        ("CopyObject", ["copy_source"]),
        ("CompleteMultipartUpload", ["upload_id"]),
        ("ListParts", ["upload_id"]),
        ("DeleteBucket", []),
    ],
)
def test_a_version_where_there_can_be_none(table, sent, refused, name, members):
    headers = {"x-amz-copy-source": "b/k"} if "copy_source" in members else {}
    request = sent(key="k", query={"versionId": "v", "uploadId": "u"}, headers=headers)
    error = refused(table.take(name, *members).parse, request, None)
    assert (error.code, error.message) == ("InvalidArgument", "This operation does not accept a version-id.")
    assert error.fields == {"ArgumentName": "versionId", "ArgumentValue": "v"}


@pytest.mark.parametrize("value", ["1", "", "3"])
def test_another_list_type_than_2(table, sent, refused, value):
    error = refused(table.take("ListObjects").parse, sent(query={"list-type": value}), None)
    assert (error.code, error.message) == ("InvalidArgument", "Invalid List Type specified in Request")
    assert error.fields == {"ArgumentName": "list-type", "ArgumentValue": value}


@pytest.mark.parametrize("headers", [{}, {"x-amz-object-attributes": ""}, {"x-amz-object-attributes": " , "}])
def test_a_required_header_is_missed(table, sent, refused, headers):
    error = refused(table.take("GetObjectAttributes").parse, sent(key="k", headers=headers), None)
    assert (error.code, error.status) == ("InvalidRequest", 400)
    assert error.message.startswith("The x-amz-object-attributes header")


def test_a_required_parameter_is_missed(table, sent, refused):
    error = refused(table.take("DeleteBucketAnalyticsConfiguration").parse, sent(query={"analytics": ""}), None)
    assert (error.code, error.message) == ("InvalidRequest", "Missing required parameter for this request: id")


def test_an_xml_payload(table, sent):
    operation = table.take("PutBucketVersioning")
    document = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
    assert operation.parse(sent(), document)["versioning_configuration"] == {"status": "Enabled"}


def test_a_required_payload_is_missed(table, sent, refused):
    error = refused(table.take("PutBucketVersioning").parse, sent(), b"")
    assert (error.code, error.status) == ("MissingRequestBodyError", 400)


def test_an_optional_payload_is_left_out(table, sent):
    assert table.take("CreateBucket").parse(sent(), b"") == {"bucket": "bucket"}
    arguments = table.take("CompleteMultipartUpload").parse(sent(key="k", query={"uploadId": "u"}), b"")
    assert arguments == {"bucket": "bucket", "key": "k", "upload_id": "u"}


def test_a_policy_is_text(table, sent, refused):
    operation = table.take("PutBucketPolicy")
    assert operation.parse(sent(), '{"é": 1}'.encode())["policy"] == '{"é": 1}'
    assert refused(operation.parse, sent(), b"\xff").code == "MalformedPolicy"
    assert operation.parse(sent(), b"")["policy"] == ""


def test_members_in_the_root_of_the_document(table, sent, refused):
    operation = table.take("SelectObjectContent")
    document = (
        b"<SelectObjectContentRequest><Expression>select 1</Expression><ExpressionType>SQL</ExpressionType>"
        b"<InputSerialization><CompressionType>NONE</CompressionType></InputSerialization><OutputSerialization/>"
        b"</SelectObjectContentRequest>"
    )
    assert operation.parse(sent(key="k"), document) == {
        "bucket": "bucket",
        "key": "k",
        "expression": "select 1",
        "expression_type": "SQL",
        "input_serialization": {"compression_type": "NONE"},
        "output_serialization": {},
    }
    assert refused(operation.parse, sent(key="k"), b"").code == "MissingRequestBodyError"


def test_a_location_is_for_the_operation_to_judge(table, sent):
    document = (
        b"<CreateBucketConfiguration><LocationConstraint>mars-north-1</LocationConstraint></CreateBucketConfiguration>"
    )
    arguments = table.take("CreateBucket").parse(sent(), document)
    assert arguments["create_bucket_configuration"] == {"location_constraint": "mars-north-1"}


def test_a_document_is_checked_against_its_digest(table, sent, refused):
    operation = table.take("PutBucketTagging")
    assert operation.parse(sent(headers={"content-md5": "MiK6ZqQ1QvDEa+XYsdLcQg=="}), TAGGING)
    assert (
        refused(operation.parse, sent(headers={"content-md5": "rL0Y20xC+Fzt72VPzMSk2A=="}), TAGGING).code == "BadDigest"
    )
