"""Responses to the byte: botocore reads the same model as the server, so only raw bytes show an error in it."""

from __future__ import annotations

import pytest

from gateway.s3.quirks import ROOTS
from gateway.s3.rendered import split_lines

PROLOG = b'<?xml version="1.0" encoding="UTF-8"?>\n'
NAMESPACE = b'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
MOMENT = 1795255200123
ETAG = "d41d8cd98f00b204e9800998ecf8427e"


@pytest.fixture
def render(table):
    def call(name, output=None):
        operation = table.operations[name]
        if operation.handler is None:
            table.take(name)
        return operation.render(output)

    return call


def document(root: str, content: bytes = b"") -> bytes:
    return PROLOG + b"<%s %s>%s</%s>" % (root.encode(), NAMESPACE, content, root.encode())


@pytest.mark.parametrize(
    "name", [name for name in ROOTS if name not in ("GetBucketLifecycle", "GetBucketNotification")]
)
def test_an_empty_answer_has_its_root(render, name):
    rendered = render(name, {})
    assert rendered.body == document(ROOTS[name])
    assert dict(split_lines(rendered.head)) == {
        b"content-type": b"application/xml",
        b"content-length": str(len(rendered.body)).encode(),
    }


BODIES = {
    "GetBucketLocation": ({"location_constraint": "eu-west-1"}, document("LocationConstraint", b"eu-west-1")),
    "GetBucketVersioning": (
        {"status": "Enabled", "mfa_delete": "Disabled"},
        document("VersioningConfiguration", b"<Status>Enabled</Status><MfaDelete>Disabled</MfaDelete>"),
    ),
    "GetBucketTagging": (
        {"tag_set": [{"key": "a<b", "value": ""}]},
        document("Tagging", b"<TagSet><Tag><Key>a&lt;b</Key><Value></Value></Tag></TagSet>"),
    ),
    "GetObjectTagging": ({"tag_set": []}, document("Tagging", b"<TagSet></TagSet>")),
    "ListBuckets": (
        {
            "buckets": [{"name": "b", "creation_date": MOMENT, "bucket_region": "us-east-1"}],
            "owner": {"id": "1", "display_name": "root"},
            "prefix": "",
        },
        document(
            "ListAllMyBucketsResult",
            b"<Owner><DisplayName>root</DisplayName><ID>1</ID></Owner><Buckets><Bucket><Name>b</Name>"
            b"<CreationDate>2026-11-21T10:00:00.000Z</CreationDate><BucketRegion>us-east-1</BucketRegion></Bucket>"
            b"</Buckets><Prefix></Prefix>",
        ),
    ),
    "CopyObject": (
        {"copy_object_result": {"etag": ETAG, "last_modified": MOMENT}, "version_id": "v"},
        document(
            "CopyObjectResult",
            b"<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag>"
            b"<LastModified>2026-11-21T10:00:00.000Z</LastModified>",
        ),
    ),
    "GetObjectAttributes": (
        {
            "etag": ETAG,
            "object_size": 3,
            "last_modified": MOMENT,
            "object_parts": {"total_parts_count": 1, "is_truncated": False, "parts": [{"part_number": 1, "size": 3}]},
        },
        document(
            "GetObjectAttributesResponse",
            b"<ETag>d41d8cd98f00b204e9800998ecf8427e</ETag><ObjectParts><PartsCount>1</PartsCount>"
            b"<IsTruncated>false</IsTruncated><Part><PartNumber>1</PartNumber><Size>3</Size></Part></ObjectParts>"
            b"<ObjectSize>3</ObjectSize>",
        ),
    ),
    "DeleteObjects": (
        {
            "deleted": [{"key": "a", "version_id": None}, {"key": "b\x01", "delete_marker": True}],
            "errors": [{"key": "c", "code": "AccessDenied", "message": "Access Denied"}],
        },
        document(
            "DeleteResult",
            b"<Deleted><Key>a</Key></Deleted><Deleted><Key>b&#x1;</Key><DeleteMarker>true</DeleteMarker></Deleted>"
            b"<Error><Key>c</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
        ),
    ),
    "ListParts": (
        {"bucket": "b", "key": "k", "upload_id": "u", "max_parts": 1000, "is_truncated": False, "parts": []},
        document(
            "ListPartsResult",
            b"<Bucket>b</Bucket><Key>k</Key><UploadId>u</UploadId><MaxParts>1000</MaxParts>"
            b"<IsTruncated>false</IsTruncated>",
        ),
    ),
    "GetBucketAcl": (
        {"grants": [{"grantee": {"type": "CanonicalUser", "id": "1"}, "permission": "FULL_CONTROL"}]},
        document(
            "AccessControlPolicy",
            b'<AccessControlList><Grant><Grantee xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            b'xsi:type="CanonicalUser"><ID>1</ID></Grantee><Permission>FULL_CONTROL</Permission></Grant>'
            b"</AccessControlList>",
        ),
    ),
    "GetObjectRetention": (
        {"retention": {"mode": "GOVERNANCE", "retain_until_date": MOMENT}},
        document(
            "Retention",
            b"<Mode>GOVERNANCE</Mode><RetainUntilDate>2026-11-21T10:00:00.123Z</RetainUntilDate>",
        ),
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_bodies(render, name):
    output, body = BODIES[name]
    assert render(name, output).body == body


LISTING = {
    "name": "b",
    "prefix": "p/",
    "key_count": 2,
    "max_keys": 1000,
    "delimiter": "/",
    "is_truncated": True,
    "next_continuation_token": "t",
    "common_prefixes": [{"prefix": "p/q/"}],
}
ROW = (
    b"<Contents><Key>p/&amp;</Key><LastModified>2026-11-21T10:00:00.000Z</LastModified>"
    b"<ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>0</Size>"
    b"<StorageClass>STANDARD</StorageClass></Contents>"
)
LISTED = document(
    "ListBucketResult",
    b"<Name>b</Name><Prefix>p/</Prefix><NextContinuationToken>t</NextContinuationToken><KeyCount>2</KeyCount>"
    b"<MaxKeys>1000</MaxKeys><Delimiter>/</Delimiter><IsTruncated>true</IsTruncated>"
    + ROW
    + b"<CommonPrefixes><Prefix>p/q/</Prefix></CommonPrefixes>",
)


@pytest.mark.parametrize(
    "contents",
    [
        [{"key": "p/&", "last_modified": MOMENT, "etag": ETAG, "size": 0, "storage_class": "STANDARD"}],
        ROW,
    ],
    ids=["dicts", "bytes"],
)
def test_a_listing_of_dicts_or_of_rows_already_written(render, contents):
    assert render("ListObjectsV2", LISTING | {"contents": contents}).body == LISTED


def test_get_object(render):
    body = object()
    rendered = render(
        "GetObject",
        {
            "body": body,
            "status": 206,
            "accept_ranges": "bytes",
            "content_length": 10,
            "content_range": "bytes 0-9/100",
            "content_type": "text/plain; charset=é",
            "etag": ETAG,
            "last_modified": MOMENT,
            "expires": "whenever",
            "metadata": {"a": "b", "c": "é"},
            "parts_count": 3,
            "delete_marker": None,
            "missing_meta": 0,
        },
    )
    assert rendered.status == 206
    assert rendered.body is body
    assert split_lines(rendered.head) == [
        (b"accept-ranges", b"bytes"),
        (b"content-length", b"10"),
        (b"content-range", b"bytes 0-9/100"),
        (b"content-type", b"text/plain; charset=\xe9"),
        (b"etag", b'"d41d8cd98f00b204e9800998ecf8427e"'),
        (b"last-modified", b"Sat, 21 Nov 2026 10:00:00 GMT"),
        (b"expires", b"whenever"),
        (b"x-amz-meta-a", b"b"),
        (b"x-amz-meta-c", b"=?UTF-8?B?w6k=?="),
        (b"x-amz-mp-parts-count", b"3"),
        (b"x-amz-missing-meta", b"0"),
    ]


def test_a_streamed_body_of_bytes_gets_its_length(render):
    assert split_lines(render("GetObject", {"body": b"abc"}).head) == [(b"content-length", b"3")]
    assert split_lines(render("GetObject", {"body": b"abc", "content_length": 3}).head) == [(b"content-length", b"3")]


def test_head_never_has_a_body(render):
    rendered = render("HeadObject", {"content_length": 5, "etag": ETAG, "delete_marker": False})
    assert rendered.body == b""
    assert split_lines(rendered.head) == [
        (b"content-length", b"5"),
        (b"etag", b'"d41d8cd98f00b204e9800998ecf8427e"'),
        (b"x-amz-delete-marker", b"false"),
    ]
    assert render("HeadBucket", {"bucket_region": "us-east-1"}) == (200, b"x-amz-bucket-region: us-east-1\r\n", b"")


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("CreateBucket", 200),
        ("PutObject", 200),
        ("PutBucketVersioning", 200),
        ("PutBucketTagging", 204),
        ("PutBucketPolicy", 204),
        ("DeleteBucket", 204),
        ("DeleteObject", 204),
        ("DeleteObjectTagging", 204),
        ("AbortMultipartUpload", 204),
        ("DeleteBucketPolicy", 204),
    ],
)
def test_statuses(render, name, status):
    rendered = render(name, None)
    assert (rendered.status, rendered.body) == (status, b"")
    # A 204 has no length (RFC 9110, 8.6), an empty 200 has one.
    assert split_lines(rendered.head) == ([] if status == 204 else [(b"content-length", b"0")])


def test_an_operation_may_give_another_status(render):
    assert render("RestoreObject", {"status": 202}).status == 202


def test_status_is_the_member_where_there_is_one(render):
    assert render("GetBucketVersioning", {"status": "Suspended"}).status == 200


def test_create_bucket(render):
    assert split_lines(render("CreateBucket", {"location": "/b"}).head) == [
        (b"location", b"/b"),
        (b"content-length", b"0"),
    ]


def test_a_policy_is_json(render):
    rendered = render("GetBucketPolicy", {"policy": '{"é":1}'})
    assert rendered.body == '{"é":1}'.encode()
    assert split_lines(rendered.head) == [(b"content-type", b"application/json"), (b"content-length", b"8")]


def test_without_a_handler_there_is_no_output(table):
    with pytest.raises(TypeError):
        table.operations["GetObject"].render({})
