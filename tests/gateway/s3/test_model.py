"""Handlers fit the model or the import fails; both directions agree with botocore's own serializer and parser."""

from __future__ import annotations

import zlib
from base64 import b64encode
from datetime import UTC, datetime
from urllib.parse import parse_qsl, unquote

import pytest
from botocore.awsrequest import HeadersDict
from botocore.model import OperationModel
from botocore.parsers import create_parser
from botocore.serialize import create_serializer

from gateway.s3 import model
from gateway.s3.names import python_name
from gateway.s3.quirks import SUPERSEDED
from gateway.s3.rendered import split_lines

MOMENT = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
MILLISECONDS = 1795255200000
HTTP_TIME = "Sat, 21 Nov 2026 10:00:00 GMT"
ALL = sorted(model.load_operations().keys() - SUPERSEDED)


class Arrived(bytes):
    """A body, and the checksum of a document behind it."""

    def __new__(cls, body: bytes, document: bytes | None) -> Arrived:
        arrived = super().__new__(cls, body)
        value = zlib.crc32(document or b"").to_bytes(4, "big")
        arrived.trailers = {"x-amz-checksum-crc32": b64encode(value).decode()}
        return arrived

    trailers: dict[str, str]


def test_a_handler_is_bound_by_its_name(table):
    async def get_object_tagging(cx, bucket, key, version_id=None): ...

    operation = table.operations["GetObjectTagging"]
    operation.bind(get_object_tagging)
    assert operation.handler is get_object_tagging
    assert operation.python_name == "get_object_tagging"
    with pytest.raises(TypeError, match="has a handler already"):
        operation.bind(get_object_tagging)


def test_the_decorator_refuses_a_name_that_is_no_operation():
    async def get_objects(cx): ...

    with pytest.raises(TypeError, match="S3 has no such operation"):
        model.operation(get_objects)


def test_an_unknown_keyword_is_refused(table):
    async def get_object(cx, bucket, key, etag=None): ...

    with pytest.raises(TypeError, match="GetObject has no member etag"):
        table.operations["GetObject"].bind(get_object)


def test_a_required_member_must_be_taken(table):
    async def upload_part(cx, bucket, key, body): ...

    with pytest.raises(TypeError, match="requires part_number, upload_id"):
        table.operations["UploadPart"].bind(upload_part)


def test_a_member_that_may_be_absent_needs_a_default(table):
    async def get_object(cx, bucket, key, version_id): ...

    with pytest.raises(TypeError, match="version_id may be absent"):
        table.operations["GetObject"].bind(get_object)


def test_a_group_stands_for_its_members(table, sent):
    async def upload_part(cx, bucket, key, body, part_number, upload_id, **checksums): ...

    operation = table.operations["UploadPart"]
    operation.bind(upload_part)
    request = sent("b", "k", {"partNumber": "1", "uploadId": "u"}, {"x-amz-checksum-crc32c": "AAAAAA=="})
    assert operation.parse(request, None)["checksum_crc32_c"] == "AAAAAA=="


def test_a_group_that_nobody_knows_is_refused(table):
    async def upload_part(cx, bucket, key, body, part_number, upload_id, **anything): ...

    with pytest.raises(TypeError, match="no group of members called anything"):
        table.operations["UploadPart"].bind(upload_part)


def test_a_group_whose_members_the_operation_lacks_is_refused(table):
    async def upload_part(cx, bucket, key, body, part_number, upload_id, **overrides): ...

    with pytest.raises(TypeError, match="UploadPart has no member response_cache_control"):
        table.operations["UploadPart"].bind(upload_part)


def test_a_stream_is_always_given(table):
    async def put_object(cx, bucket, key, body): ...

    table.operations["PutObject"].bind(put_object)


@pytest.mark.parametrize("name", ALL)
def test_without_a_handler_the_operation_is_named(table, sent, refused, name):
    error = refused(table.operations[name].parse, sent(), None)
    assert (error.code, error.status) == ("NotImplemented", 501)
    assert name in error.message


@pytest.mark.parametrize(
    ("name", "kind", "limit"),
    [
        ("GetObject", "none", 1 << 20),
        ("PutObject", "stream", 1 << 20),
        ("UploadPart", "stream", 1 << 20),
        ("CompleteMultipartUpload", "xml", 8 << 20),
        ("DeleteObjects", "xml", 8 << 20),
        ("PutBucketPolicy", "xml", 1 << 20),
        ("SelectObjectContent", "xml", 1 << 20),
        ("CopyObject", "none", 1 << 20),
    ],
)
def test_how_the_body_is_read(table, name, kind, limit):
    assert (table.operations[name].body_kind, table.operations[name].body_limit) == (kind, limit)


@pytest.mark.parametrize("name", ALL)
def test_closures_bear_names(table, name):
    operation = table.take(name)
    assert operation.parse.__name__ == f"parse_{operation.python_name}"
    assert operation.render.__name__ == f"render_{operation.python_name}"


class _Values:
    """A value for every member of a shape, as botocore has it and as a handler does."""

    def __init__(self, operation: OperationModel, skip: frozenset[str] = frozenset()) -> None:
        self.operation = operation
        self.skip = skip

    def of(self, shape, name=""):
        match shape.type_name:
            case "structure":
                members = {
                    member: self.of(found, member) for member, found in shape.members.items() if member not in self.skip
                }
                theirs = {member: value for member, (value, _) in members.items()}
                return theirs, {python_name(member): value for member, (_, value) in members.items()}
            case "list":
                theirs, ours = self.of(shape.member)
                return [theirs], [ours]
            case "map":
                return {"a": "b"}, {"a": "b"}
            case "string" if shape.enum:
                return shape.enum[0], shape.enum[0]
            case "string":
                return self.text(shape, name)
            case "timestamp":
                return MOMENT, MILLISECONDS
            case "boolean":
                return True, True
            case "blob":
                return b"body", b"body"
        return 7, 7

    def text(self, shape, name):
        location = shape.serialization.get("location")
        if location == "uri":
            return {"Bucket": ("bucket", "bucket"), "Key": ("a key/é&", "a key/é&")}[name]
        if name == "ETag":
            quoted = f'"{name}"'
            if self.operation.name == "GetObjectAttributes":
                return name, name
            return quoted, quoted if self.operation.name == "WriteGetObjectResponse" else name
        # What a header may hold beside ASCII is tested where values are.
        text = name if location in ("header", "headers") else f"<{name}> & é"
        return text, text


@pytest.mark.parametrize("name", ALL)
def test_what_botocore_serializes_is_routed_and_parsed(table, sent, name):
    operation_model = table.operations[name]._model
    # Content-MD5 would have to be that of the document.
    values = _Values(operation_model, frozenset({"ContentMD5"}))
    theirs, ours = values.of(operation_model.input_shape)
    request = create_serializer("rest-xml", include_validation=False).serialize_to_request(theirs, operation_model)
    path, _, in_path = request["url_path"].partition("?")
    query = dict(parse_qsl(in_path, keep_blank_values=True))
    query |= {key: value if isinstance(value, str) else str(value) for key, value in request["query_string"].items()}
    headers = {key.lower(): str(value) for key, value in request["headers"].items()}
    bucket, _, key = path[1:].partition("/")
    arguments = (request["method"], unquote(bucket) or None, unquote(key) or None, query, headers)
    assert table.route(*arguments) is table.operations[name]

    operation = table.take(name)
    body = request["body"]
    document = (body if isinstance(body, bytes) else body.encode()) if operation.body_kind == "xml" else None
    parsed = operation.parse(sent(*arguments[1:], body=Arrived(b"body", document)), document)
    for kept in ("expires", "response_expires"):
        if kept in ours:
            ours[kept] = HTTP_TIME
    assert parsed == ours


# An event stream is the operation's own matter; botocore reads the bare LocationConstraint outside its parser.
@pytest.mark.parametrize("name", [name for name in ALL if name not in ("SelectObjectContent", "GetBucketLocation")])
def test_what_is_rendered_botocore_parses(table, name):
    operation = table.take(name)
    shape = operation._model.output_shape
    if shape is None:
        assert operation.render(None).body == b""
        return
    theirs, ours = _Values(operation._model).of(shape)
    rendered = operation.render(ours)
    headers = HeadersDict((key.decode(), value.decode("latin-1")) for key, value in split_lines(rendered.head))
    response = {"status_code": rendered.status, "headers": headers, "body": rendered.body, "context": {}}
    payload = shape.serialization.get("payload")
    if payload and shape.members[payload].serialization.get("streaming"):
        assert rendered.body == theirs.pop(payload)
    parsed = create_parser("rest-xml").parse(response, shape)
    parsed.pop("ResponseMetadata")
    if operation.method == "HEAD":
        assert rendered.body == b""
    assert {key: value for key, value in parsed.items() if key in theirs} == theirs
