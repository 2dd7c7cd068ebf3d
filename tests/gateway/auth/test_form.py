from __future__ import annotations

import hmac
import json
from base64 import b64encode
from hashlib import sha1
from typing import Any

import pytest
from botocore.auth import S3SigV4PostAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from catalog.records import User
from gateway.auth.form import authenticate_form
from gateway.form import File, Form
from gateway.s3.errors import S3Error

# AWS's own example, whose lines end with CR and LF:
# https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-post-example.html
POLICY = b64encode(
    b"""{ "expiration": "2015-12-30T12:00:00.000Z",
  "conditions": [
    {"bucket": "sigv4examplebucket"},
    ["starts-with", "$key", "user/user1/"],
    {"acl": "public-read"},
    {"success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html"},
    ["starts-with", "$Content-Type", "image/"],
    {"x-amz-meta-uuid": "14365123651274"},
    {"x-amz-server-side-encryption": "AES256"},
    ["starts-with", "$x-amz-meta-tag", ""],

    {"x-amz-credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request"},
    {"x-amz-algorithm": "AWS4-HMAC-SHA256"},
    {"x-amz-date": "20151229T000000Z" }
  ]
}""".replace(b"\n", b"\r\n")
).decode()
SIGNATURE = "8afdbf4008c03f22c2cd3cdb72e4afbb1f6a588f3255ac628749a66d7f09699e"
EXAMPLE = {
    "key": "user/user1/photo.jpg",
    "acl": "public-read",
    "success_action_redirect": "http://sigv4examplebucket.s3.amazonaws.com/successful_upload.html",
    "Content-Type": "image/jpeg",
    "x-amz-meta-uuid": "14365123651274",
    "x-amz-server-side-encryption": "AES256",
    "X-Amz-Credential": "AKIAIOSFODNN7EXAMPLE/20151229/us-east-1/s3/aws4_request",
    "X-Amz-Algorithm": "AWS4-HMAC-SHA256",
    "X-Amz-Date": "20151229T000000Z",
    "x-amz-meta-tag": "",
    "Policy": POLICY,
    "X-Amz-Signature": SIGNATURE,
}
SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
USER = User("id", "name", "AKIAIOSFODNN7EXAMPLE", SECRET)
NOW = 1_451_433_600.0  # 2015-12-30T00:00:00Z


def find_user(access_key: str) -> User | None:
    return USER if access_key == USER.access_key else None


async def nothing() -> dict[str, Any]:
    raise AssertionError("the file is not asked for")


def prove(fields: dict[str, str], bucket: str = "sigv4examplebucket") -> tuple[User | None, Form]:
    lower = {name.lower(): value for name, value in fields.items()}
    form = Form(File(nothing, b"b"), lower, {name.lower(): name for name in fields})
    return authenticate_form(form, bucket, find_user, "us-east-1", NOW).user, form


def refusal(fields: dict[str, str], **given: Any) -> S3Error:
    with pytest.raises(S3Error) as refused:
        prove(fields, **given)
    return refused.value


def version_2(**more: str) -> dict[str, str]:
    document = {"expiration": "2015-12-30T12:00:00Z", "conditions": [["starts-with", "$key", ""]]}
    policy = b64encode(json.dumps(document).encode())
    signature = b64encode(hmac.digest(SECRET.encode(), policy, sha1)).decode()
    return {"key": "k", "AWSAccessKeyId": USER.access_key, "policy": policy.decode(), "signature": signature, **more}


def test_the_example_of_aws() -> None:
    assert prove(EXAMPLE)[0] is USER


def test_what_botocore_signs() -> None:
    asked = AWSRequest()
    asked.context["s3-presign-post-fields"] = fields = {"key": "k"}
    asked.context["s3-presign-post-policy"] = {"expiration": "2100-01-01T00:00:00Z", "conditions": [{"key": "k"}]}
    S3SigV4PostAuth(Credentials(USER.access_key, SECRET), "s3", "us-east-1").add_auth(asked)
    assert prove(fields)[0] is USER


def test_version_2() -> None:
    assert prove(version_2())[0] is USER
    assert refusal(version_2(signature="bm8=")).code == "SignatureDoesNotMatch"
    assert refusal(version_2(signature="ä")).code == "SignatureDoesNotMatch"
    assert refusal(version_2(AWSAccessKeyId="other")).code == "InvalidAccessKeyId"


def test_another_signature() -> None:
    error = refusal(EXAMPLE | {"X-Amz-Signature": SIGNATURE[::-1]})
    assert error.code == "SignatureDoesNotMatch"
    assert error.fields["StringToSign"] == POLICY
    assert error.fields["SignatureProvided"] == SIGNATURE[::-1]
    assert refusal(EXAMPLE | {"Policy": POLICY[:-4]}).code == "SignatureDoesNotMatch"
    assert refusal(EXAMPLE | {"X-Amz-Signature": "ä"}).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("name", ["X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Signature", "Policy"])
def test_a_field_that_is_not_there(name: str) -> None:
    error = refusal({at: value for at, value in EXAMPLE.items() if at != name})
    assert (error.code, error.fields) == ("InvalidArgument", {"ArgumentName": name, "ArgumentValue": ""})
    assert error.message == (
        f"Bucket POST must contain a field named '{name}'.  If it is specified, please check the order of the fields."
    )


@pytest.mark.parametrize("name", ["key", "AWSAccessKeyId", "Signature", "Policy"])
def test_the_same_of_version_2(name: str) -> None:
    error = refusal({at: value for at, value in version_2().items() if at.lower() != name.lower()})
    assert (error.code, error.fields["ArgumentName"]) == ("InvalidArgument", name)


def test_none_of_them_is_anonymous() -> None:
    assert prove({"key": "k", "policy": POLICY})[0] is None


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("X-Amz-Algorithm", "none", 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'),
        ("X-Amz-Date", "yesterday", "X-Amz-Date must be formated via ISO8601 Long format"),
        (
            "X-Amz-Credential",
            "AKIAIOSFODNN7EXAMPLE/20151229/eu-west-1/s3/aws4_request",
            "the region 'eu-west-1' is wrong; expecting 'us-east-1'",
        ),
    ],
)
def test_fields_that_say_something_else(name: str, value: str, message: str) -> None:
    error = refusal(EXAMPLE | {name: value})
    assert (error.code, error.message) == ("InvalidArgument", message)
    assert (error.fields["ArgumentName"], error.fields["ArgumentValue"]) == (name, value)


def test_the_policy_holds() -> None:
    assert refusal(EXAMPLE, bucket="other").code == "AccessDenied"
    assert refusal(EXAMPLE | {"key": "user/user2/photo.jpg"}).code == "AccessDenied"
    assert refusal(EXAMPLE | {"x-amz-storage-class": "STANDARD"}).code == "AccessDenied"


def test_a_session_token_belongs_to_no_key() -> None:
    assert refusal(EXAMPLE | {"x-amz-security-token": "t"}).code == "InvalidToken"
