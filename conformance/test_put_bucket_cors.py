from __future__ import annotations

from typing import Any

import pytest

from conformance.raw import Raw
from conformance.refusals import refused

RULE = {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]}
DOCUMENT = "<CORSConfiguration><CORSRule>%s</CORSRule></CORSConfiguration>"


@pytest.mark.parametrize(
    "rule",
    [
        RULE,
        {
            "AllowedMethods": ["HEAD", "GET", "PUT", "POST", "DELETE"],
            "AllowedOrigins": ["", "http://test.com:80", "a*b"],
        },
        RULE
        | {
            "ID": "i" * 255,
            "AllowedHeaders": ["x-AMZ-server-SIDE-encryption", "x-amz-*"],
            "ExposeHeaders": ["ETag", "GET"],
            "MaxAgeSeconds": 0,
        },
    ],
)
def test_comes_back_as_it_was_put(s3: Any, bucket: str, rule: dict[str, Any]) -> None:
    rules = [rule, RULE]
    answer = s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 200
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules


def test_takes_the_place_of_what_was_there(s3: Any, bucket: str) -> None:
    for origin in ("one", "two"):
        rules = [RULE | {"AllowedOrigins": [origin]}]
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": rules})
        assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"] == rules


def test_an_age_below_zero_is_kept(s3: Any, bucket: str) -> None:
    # S3 takes one: https://github.com/versity/versitygw/blob/main/tests/integration/PutBucketCors.go
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [RULE | {"MaxAgeSeconds": -1}]})
    assert s3.get_bucket_cors(Bucket=bucket)["CORSRules"][0]["MaxAgeSeconds"] == -1


def test_a_hundred_rules_at_most(s3: Any, bucket: str) -> None:
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [RULE] * 100})
    with refused("MalformedXML", 400):
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [RULE] * 101})
    assert len(s3.get_bucket_cors(Bucket=bucket)["CORSRules"]) == 100


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"AllowedMethods": ["GET", "PATCH"]}, "HTTP method in CORS config. Unsupported method is PATCH"),
        ({"AllowedMethods": ["get"]}, "HTTP method in CORS config. Unsupported method is get"),
        ({"AllowedMethods": [""]}, "HTTP method in CORS config. Unsupported method is "),
        ({"AllowedOrigins": ["*.a.*"]}, 'AllowedOrigin "*.a.*" can not have more than one wildcard.'),
        ({"AllowedHeaders": ["**"]}, 'AllowedHeader "**" can not have more than one wildcard.'),
        ({"ExposeHeaders": ["*"]}, "We currently do not support wildcard for ExposeHeader."),
        ({"ExposeHeaders": ["a\r\nSet-Cookie: b"]}, "contains invalid character."),
        ({"ExposeHeaders": ["ETag, Date"]}, 'AllowedHeader "ETag, Date" contains invalid character.'),
        ({"AllowedHeaders": ["X-Custom:Header"]}, 'AllowedHeader "X-Custom:Header" contains invalid character.'),
    ],
)
def test_values_that_no_rule_may_have(s3: Any, bucket: str, change: dict[str, Any], message: str) -> None:
    with refused("InvalidRequest", 400) as error:
        s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [RULE, RULE | change]})
    assert error["Message"].endswith(message)
    with refused("NoSuchCORSConfiguration", 404):
        s3.get_bucket_cors(Bucket=bucket)


@pytest.mark.parametrize(
    "document",
    [
        "<CORSConfiguration/>",
        DOCUMENT % "",
        DOCUMENT % "<AllowedMethod>GET</AllowedMethod>",
        DOCUMENT % "<AllowedOrigin>*</AllowedOrigin>",
        DOCUMENT
        % "<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><MaxAgeSeconds>soon</MaxAgeSeconds>",
        DOCUMENT % f"<AllowedMethod>GET</AllowedMethod><AllowedOrigin>*</AllowedOrigin><ID>{'i' * 256}</ID>",
    ],
)
def test_documents_that_are_none(raw: Raw, bucket: str, document: str) -> None:
    answer = raw.put_document(f"/{bucket}", document.encode(), {"cors": ""})
    assert (answer.status, answer.code) == (400, "MalformedXML")


def test_others_may_not(s3: Any, alice: Any, bucket: str) -> None:
    with refused("AccessDenied", 403):
        alice.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [RULE]})
    with refused("NoSuchBucket", 404):
        s3.put_bucket_cors(Bucket="there-is-no-such-bucket", CORSConfiguration={"CORSRules": [RULE]})
