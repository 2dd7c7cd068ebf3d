"""Every code has S3's shape on the wire, and every fact from below its code."""

from __future__ import annotations

import inspect

import pytest
from lxml import etree

from catalog import errors as catalog_errors
from gateway.blobs import errors as blob_errors
from gateway.s3.codes import CODES
from gateway.s3.errors import S3Error, from_fact, invalid_argument, render_error
from gateway.s3.rendered import split_lines

FACTS = [
    (catalog_errors.NoBucket("b"), "NoSuchBucket", 404, {"BucketName": "b"}, {}),
    (catalog_errors.BucketExists("b", "owner"), "BucketAlreadyExists", 409, {"BucketName": "b"}, {}),
    (catalog_errors.BucketNotEmpty("b"), "BucketNotEmpty", 409, {"BucketName": "b"}, {}),
    (catalog_errors.BucketNotEmpty("b", True), "BucketNotEmpty", 409, {"BucketName": "b"}, {}),
    (catalog_errors.BucketChanged("b"), "OperationAborted", 409, {"BucketName": "b"}, {}),
    (catalog_errors.NoObject("b", "k"), "NoSuchKey", 404, {"Key": "k"}, {}),
    (
        catalog_errors.NoObject("b", "k", "v1"),
        "NoSuchKey",
        404,
        {"Key": "k"},
        {"x-amz-delete-marker": "true", "x-amz-version-id": "v1"},
    ),
    (catalog_errors.NoVersion("b", "k", "v1"), "NoSuchVersion", 404, {"Key": "k", "VersionId": "v1"}, {}),
    (
        catalog_errors.IsDeleteMarker("b", "k", "v1", 1795255200123),
        "MethodNotAllowed",
        405,
        {"Method": "GET", "ResourceType": "DeleteMarker"},
        {
            "allow": "DELETE",
            "last-modified": "Sat, 21 Nov 2026 10:00:00 GMT",
            "x-amz-delete-marker": "true",
            "x-amz-version-id": "v1",
        },
    ),
    (
        catalog_errors.BadVersionId("v"),
        "InvalidArgument",
        400,
        {"ArgumentName": "versionId", "ArgumentValue": "v"},
        {},
    ),
    (catalog_errors.LockNeedsVersioning("b", True), "InvalidBucketState", 409, {"BucketName": "b"}, {}),
    (catalog_errors.LockNeedsVersioning("b", False), "InvalidBucketState", 409, {"BucketName": "b"}, {}),
    (catalog_errors.ObjectLocked("b", "k", "v1"), "AccessDenied", 403, {}, {}),
    (catalog_errors.SourceChanged("b", "k"), "OperationAborted", 409, {"Key": "k"}, {}),
    (catalog_errors.NoUpload("b", "k", "u"), "NoSuchUpload", 404, {"UploadId": "u"}, {}),
    (catalog_errors.PreconditionFailed("If-Match"), "PreconditionFailed", 412, {"Condition": "If-Match"}, {}),
    (catalog_errors.StorageFull("/data"), "InsufficientStorage", 507, {}, {}),
    (catalog_errors.DatabaseBehind(50_000_001), "SlowDown", 503, {}, {}),
    (catalog_errors.TooManyWaiting(20_000), "SlowDown", 503, {}, {}),
    (catalog_errors.QueryRefused("it is no query"), "InvalidRequest", 400, {}, {}),
    (catalog_errors.QueryFailed("no such column"), "InvalidRequest", 400, {}, {}),
    (catalog_errors.QueryStopped("too long"), "InvalidRequest", 400, {}, {}),
    (catalog_errors.CatalogUnusable("it is damaged"), "ServiceUnavailable", 503, {}, {}),
    (blob_errors.NoRoom("/data"), "InsufficientStorage", 507, {}, {}),
]

# No request can meet these: users are made and typed queries asked on the command line, and a lost blob is damage.
INTERNAL = {
    catalog_errors.CatalogError,
    catalog_errors.UserExists,
    catalog_errors.NoUser,
    catalog_errors.InvalidFilter,
    catalog_errors.BodyDamaged,
    blob_errors.BlobError,
    blob_errors.NoBlob,
    blob_errors.BlobCut,
    blob_errors.BlobDamaged,
    blob_errors.NoKey,
    blob_errors.WrongKey,
}


@pytest.mark.parametrize(("fact", "code", "status", "fields", "headers"), FACTS, ids=repr)
def test_a_fact_has_its_code(fact, code, status, fields, headers):
    error = from_fact(fact)
    assert (error.code, error.status, error.fields, error.headers) == (code, status, fields, headers)


def test_every_fact_is_mapped_or_known_to_be_internal():
    facts = {
        found
        for module in (catalog_errors, blob_errors)
        for found in vars(module).values()
        if inspect.isclass(found) and issubclass(found, Exception)
    }
    assert facts == {type(fact) for fact, *_ in FACTS} | INTERNAL


def test_what_nobody_mapped_shows_nothing():
    error = from_fact(RuntimeError("the secret path /data/log"))
    assert (error.code, error.status, error.fields) == ("InternalError", 500, {})
    assert "secret" not in error.message


def test_an_s3_error_is_its_own_fact():
    error = S3Error("SlowDown")
    assert from_fact(error) is error


def test_an_unknown_code_cannot_be_raised():
    with pytest.raises(KeyError):
        S3Error("NoSuchCode")


@pytest.mark.parametrize("code", [code for code in CODES if code != "NotModified"])
def test_shape(code):
    rendered = render_error(S3Error(code), "/bucket/key", "4442587FB7D0A2F9", "host")
    status, message = CODES[code]
    assert rendered.status == status >= 300
    assert (
        rendered.body
        == (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f"<Error><Code>{code}</Code><Message>{_escaped(message)}</Message><Resource>/bucket/key</Resource>"
            "<RequestId>4442587FB7D0A2F9</RequestId><HostId>host</HostId></Error>"
        ).encode()
    )
    assert dict(split_lines(rendered.head)) == {
        b"content-type": b"application/xml",
        b"content-length": str(len(rendered.body)).encode(),
    }


def test_fields_stand_between_message_and_resource_in_order():
    error = invalid_argument("Unknown metadata directive.", "x-amz-metadata-directive", "<MOVE & \x01>")
    body = render_error(error, "/b/a&b", "R", "H").body
    assert body.endswith(
        b"<Error><Code>InvalidArgument</Code><Message>Unknown metadata directive.</Message>"
        b"<ArgumentName>x-amz-metadata-directive</ArgumentName>"
        b"<ArgumentValue>&lt;MOVE &amp; &#x1;&gt;</ArgumentValue>"
        b"<Resource>/b/a&amp;b</Resource><RequestId>R</RequestId><HostId>H</HostId></Error>"
    )


def test_an_error_is_xml_whatever_the_key(sent):
    body = render_error(S3Error("NoSuchKey", fields={"Key": "]]>\"'é\U0001f600"}), "/b/k", "R", "H").body
    assert etree.fromstring(body).findtext("Key") == "]]>\"'é\U0001f600"


def test_head_has_no_body():
    error = S3Error("NoSuchKey", headers={"x-amz-delete-marker": "true"})
    rendered = render_error(error, "/b/k", "R", "H", head=True)
    assert rendered.status == 404
    assert rendered.body == b""
    assert dict(split_lines(rendered.head)) == {
        b"x-amz-delete-marker": b"true",
        b"content-type": b"application/xml",
        b"x-minio-error-code": b"NoSuchKey",
    }


@pytest.mark.parametrize("head", [False, True])
def test_not_modified_has_headers_only(head):
    error = S3Error("NotModified", headers={"ETag": '"abc"'})
    rendered = render_error(error, "/b/k", "R", "H", head=head)
    assert rendered == (304, b'etag: "abc"\r\n', b"")


def test_an_own_message_and_status():
    error = S3Error("InvalidArgument", "", status=409)
    assert (error.message, error.status) == ("", 409)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;")
