"""Headers and query parameters one by one: what a handler gets, what S3 says of a bad one, what goes out again."""

from __future__ import annotations

from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.s3.errors import S3Error
from gateway.s3.values import decode_metadata, metadata_lines


@pytest.fixture
def argument(table, sent):
    """The argument an operation makes of one header or parameter; None when it is left out."""

    def call(name, keyword, query=None, headers=None):
        operation = table.take(name, keyword)
        return operation.parse(sent(key="key", query=query or {}, headers=headers or {}), None).get(keyword)

    return call


@pytest.mark.parametrize(
    ("name", "keyword", "query", "value"),
    [
        ("ListObjectsV2", "max_keys", {"max-keys": "0"}, 0),
        ("ListObjectsV2", "max_keys", {"max-keys": "2147483647"}, 2147483647),
        ("ListObjectsV2", "max_keys", {"max-keys": ""}, None),
        ("ListObjectsV2", "fetch_owner", {"fetch-owner": "true"}, True),
        ("ListObjectsV2", "fetch_owner", {"fetch-owner": "False"}, False),
        ("ListObjectsV2", "fetch_owner", {"fetch-owner": ""}, None),
        ("ListObjectsV2", "prefix", {"prefix": "é/ +%"}, "é/ +%"),
        ("ListObjectsV2", "encoding_type", {"encoding-type": "url"}, "url"),
        ("GetObject", "part_number", {"partNumber": "10000"}, 10000),
        ("GetObject", "version_id", {"versionId": "null"}, "null"),
        (
            "GetObject",
            "response_expires",
            {"response-expires": "Thu, 01 Dec 1994 16:00:00 GMT"},
            "Thu, 01 Dec 1994 16:00:00 GMT",
        ),
        ("GetObject", "response_content_disposition", {"response-content-disposition": 'a; b="é"'}, 'a; b="é"'),
    ],
)
def test_parameters(argument, name, keyword, query, value):
    assert argument(name, keyword, query=query) == value


@pytest.mark.parametrize(
    ("name", "keyword", "header", "text", "value"),
    [
        ("GetObject", "range", "range", "bytes=0-9", "bytes=0-9"),
        ("GetObject", "if_match", "if-match", '"abc"', '"abc"'),
        ("GetObject", "if_modified_since", "if-modified-since", "Sat, 21 Nov 2026 10:00:00 GMT", 1795255200000),
        ("GetObject", "if_modified_since", "if-modified-since", "whenever", None),
        ("GetObject", "if_unmodified_since", "if-unmodified-since", "-1", None),
        ("PutObject", "expires", "expires", "not a date", "not a date"),
        ("PutObject", "storage_class", "x-amz-storage-class", "STANDARD_IA", "STANDARD_IA"),
        ("PutObject", "tagging", "x-amz-tagging", "a=b&c=%20", "a=b&c=%20"),
        ("PutObject", "bucket_key_enabled", "x-amz-server-side-encryption-bucket-key-enabled", "true", True),
        ("DeleteObject", "if_match_size", "x-amz-if-match-size", "7", 7),
        ("GetObjectAttributes", "max_parts", "x-amz-max-parts", "many", None),
        ("GetObjectAttributes", "max_parts", "x-amz-max-parts", "2", 2),
    ],
)
def test_headers(argument, name, keyword, header, text, value):
    headers = {header: text}
    if name == "GetObjectAttributes":
        headers["x-amz-object-attributes"] = "ETag"
    assert argument(name, keyword, headers=headers) == value


def test_a_list_in_a_header(argument):
    headers = {"x-amz-object-attributes": "ETag, ObjectSize,,StorageClass "}
    assert argument("GetObjectAttributes", "object_attributes", headers=headers) == [
        "ETag",
        "ObjectSize",
        "StorageClass",
    ]


INTEGER = "Provided {} not an integer or within integer range"
PART_NUMBER = "Part number must be an integer between 1 and 10000, inclusive"
BAD_PARAMETERS = [
    ("ListObjectsV2", "max_keys", "max-keys", "blah", INTEGER, "max-keys"),
    ("ListObjectsV2", "max_keys", "max-keys", "1_000", INTEGER, "max-keys"),
    ("ListObjectsV2", "max_keys", "max-keys", "+1", INTEGER, "max-keys"),
    ("ListObjectsV2", "max_keys", "max-keys", " 1", INTEGER, "max-keys"),
    ("ListObjectsV2", "max_keys", "max-keys", "٣", INTEGER, "max-keys"),
    ("ListObjectsV2", "max_keys", "max-keys", "2147483648", INTEGER, "max-keys"),
    ("ListObjectsV2", "max_keys", "max-keys", "-1", "max-keys cannot be negative", "maxKeys"),
    (
        "ListBuckets",
        "max_buckets",
        "max-buckets",
        "-1",
        "Argument max-buckets must be an integer between 1 and 10000.",
        "max-buckets",
    ),
    ("ListMultipartUploads", "max_uploads", "max-uploads", "x", INTEGER, "max-uploads"),
    ("GetObject", "part_number", "partNumber", "0", PART_NUMBER, "partNumber"),
    ("GetObject", "part_number", "partNumber", "10001", PART_NUMBER, "partNumber"),
    ("GetObject", "part_number", "partNumber", "one", PART_NUMBER, "partNumber"),
    (
        "ListObjectsV2",
        "encoding_type",
        "encoding-type",
        "xml",
        "Invalid Encoding Method specified in Request",
        "encoding-type",
    ),
    ("GetObject", "version_id", "versionId", "", "Version id cannot be the empty string", "versionId"),
    (
        "GetObject",
        "response_content_type",
        "response-content-type",
        "a\r\nb: c",
        "Header value cannot be represented using ISO-8859-1.",
        "response-content-type",
    ),
    (
        "GetObject",
        "response_content_type",
        "response-content-type",
        "日本",
        "Header value cannot be represented using ISO-8859-1.",
        "response-content-type",
    ),
]


@pytest.mark.parametrize(("name", "keyword", "parameter", "text", "message", "shown"), BAD_PARAMETERS)
def test_bad_parameters(argument, refused, name, keyword, parameter, text, message, shown):
    error = refused(argument, name, keyword, {parameter: text})
    assert (error.code, error.status, error.message) == ("InvalidArgument", 400, message.format(parameter))
    assert error.fields == {"ArgumentName": shown, "ArgumentValue": text}


@pytest.mark.parametrize(
    ("name", "keyword", "header", "text", "code"),
    [
        ("PutObject", "storage_class", "x-amz-storage-class", "SHELF", "InvalidStorageClass"),
        ("PutObject", "storage_class", "x-amz-storage-class", "standard", "InvalidStorageClass"),
        ("PutObject", "acl", "x-amz-acl", "everyone", "InvalidArgument"),
        ("PutObject", "server_side_encryption", "x-amz-server-side-encryption", "ROT13", "InvalidArgument"),
        ("PutObject", "object_lock_mode", "x-amz-object-lock-mode", "MAYBE", "InvalidArgument"),
        (
            "PutObject",
            "object_lock_retain_until_date",
            "x-amz-object-lock-retain-until-date",
            "soon",
            "InvalidArgument",
        ),
        ("CreateMultipartUpload", "checksum_algorithm", "x-amz-checksum-algorithm", "CRC16", "InvalidRequest"),
        ("CreateMultipartUpload", "checksum_type", "x-amz-checksum-type", "HALF", "InvalidRequest"),
        ("CreateBucket", "object_ownership", "x-amz-object-ownership", "Nobody", "InvalidArgument"),
        (
            "CreateBucket",
            "object_lock_enabled_for_bucket",
            "x-amz-bucket-object-lock-enabled",
            "yes",
            "InvalidArgument",
        ),
        ("DeleteObject", "if_match_size", "x-amz-if-match-size", "big", "InvalidArgument"),
        ("GetObjectAttributes", "object_attributes", "x-amz-object-attributes", "ETag,Colour", "InvalidArgument"),
    ],
)
def test_bad_headers(argument, refused, name, keyword, header, text, code):
    error = refused(argument, name, keyword, None, {header: text})
    assert (error.code, error.status) == (code, 400)
    assert text in error.fields.values()


def test_metadata_names_lose_their_prefix():
    headers = {"x-amz-meta-a": "1", "x-amz-meta-": "2", "content-type": "x", "x-amz-meta-b-c": ""}
    assert decode_metadata(headers) == {"a": "1", "": "2", "b-c": ""}


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("plain", "plain"),
        ("=?UTF-8?B?w6nDqA==?=", "éè"),
        ("=?utf-8?q?caf=C3=A9?= =?iso-8859-1?q?_cr=E8me?=", "café crème"),
        ("a =?UTF-8?Q?=C3=A9?= b", "a é b"),
        ("=?UTF-8?B?not base64!?=", "=?UTF-8?B?not base64!?="),
        ("=?nonsense?B?w6k=?=", "=?nonsense?B?w6k=?="),
        ("=?", "=?"),
        ("\u00e9", "\u00e9"),
    ],
)
def test_words_are_decoded(sent, stored):
    assert decode_metadata({"x-amz-meta-a": sent}) == {"a": stored}


@pytest.mark.parametrize(
    ("stored", "written"),
    [
        ("plain", "plain"),
        ("with = and ? and spaces", "with = and ? and spaces"),
        ("", ""),
        ("é", "=?UTF-8?B?w6k=?="),
        ("tab\tand ~", "tab\tand ~"),
        ("a\r\nx-injected: b", "=?UTF-8?Q?a=0D=0Ax-injected:_b?="),
        # As S3 was recorded to write them.
        ("ÄMÄZÕÑ S3", "=?UTF-8?Q?=C3=84M=C3=84Z=C3=95=C3=91_S3?="),
        ("Ã\x84MÃ\x84ZÃ\x95Ã\x91 S3", "=?UTF-8?B?w4PChE3Dg8KEWsODwpXDg8KRIFMz?="),
        (
            "test_—_file%E2%80%94_é_2?.pdf",
            "=?UTF-8?Q?test=5F=E2=80=94=5Ffile%E2%80%94=5F=C3=A9=5F2=3F.pdf?=",
        ),
    ],
)
def test_words_are_encoded(stored, written):
    assert metadata_lines({"a": stored}) == [f"x-amz-meta-a: {written}\r\n"]


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=500))
def test_any_text_comes_back(text):
    [line] = metadata_lines({"a": text})
    written = line.removeprefix("x-amz-meta-a: ").removesuffix("\r\n")
    assert all(len(word) <= 75 for word in written.split(" ")) or text.isascii()
    assert written.isascii() and "\r" not in written and "\n" not in written
    if not (text.isascii() and text.isprintable()):
        assert str(make_header(decode_header(written))) == text


@pytest.mark.parametrize(
    ("value", "fits"), [("x" * 2047, True), ("x" * 2048, False), ("é" * 1023, True), ("é" * 1024, False)]
)
def test_two_kibibytes_of_metadata(value, fits):
    headers = {"x-amz-meta-a": value}
    if fits:
        assert decode_metadata(headers) == {"a": value}
        return
    with pytest.raises(S3Error) as caught:
        decode_metadata(headers)
    assert (caught.value.code, caught.value.status) == ("MetadataTooLarge", 400)
    assert caught.value.fields["MaxSizeAllowed"] == "2048"
