"""AWS's own examples, and whatever botocore signs.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import calendar
import hmac
from base64 import b64encode
from email.utils import formatdate
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from gateway.request import Request

EXAMPLE_DAY = calendar.timegm((2007, 3, 27, 19, 0, 0))


def sign(
    s3: SimpleNamespace,
    method: str,
    url: str,
    headers: dict[str, str] | None = None,
    expires: int | None = None,
    drop: tuple[str, ...] = (),
    add: dict[str, str] | None = None,
) -> Request:
    credentials = Credentials(s3.key, s3.secret)
    sent = AWSRequest(method, url, headers=headers or {})
    signer = HmacV1Auth(credentials) if expires is None else HmacV1QueryAuth(credentials, expires)
    signer.add_auth(sent)
    prepared = sent.prepare()
    split = urlsplit(prepared.url)
    fields = {"host": split.netloc} | {name.lower(): text(value) for name, value in prepared.headers.items()}
    if expires is not None:
        fields = {"host": split.netloc} | (headers or {})
    fields = {name: value for name, value in fields.items() if name not in drop} | (add or {})
    return s3.make(method, split.path + (f"?{split.query}" if split.query else ""), fields)


def text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value


@pytest.mark.parametrize(
    ("method", "url", "headers"),
    [
        ("GET", "http://localhost/", {}),
        ("HEAD", "http://localhost/b/", {}),
        ("GET", "http://localhost/b?versions&prefix=a%20b&max-keys=3", {}),
        (
            "PUT",
            "http://localhost/b/k%20%C3%BC+",
            {"content-type": "text/plain", "x-amz-meta-b": "2", "x-amz-meta-a": "1"},
        ),
        ("PUT", "http://localhost/b/k?partNumber=1&uploadId=a%2Fb", {"content-md5": "abc"}),
        ("GET", "http://localhost/b/k?response-content-type=text%2Fplain%3B%20x", {}),
    ],
)
def test_what_botocore_signs(s3: SimpleNamespace, now: float, method: str, url: str, headers: dict[str, str]) -> None:
    identity = s3.check(sign(s3, method, url, dict(headers)), now)
    assert (identity.user.name, identity.payload.sha256) == ("example", None)
    assert s3.check(sign(s3, method, url, dict(headers), expires=60), now).access_key == s3.key


def test_example_of_aws(s3: SimpleNamespace) -> None:
    headers = {
        "host": "awsexamplebucket1.us-west-1.s3.amazonaws.com",
        "date": "Tue, 27 Mar 2007 19:36:42 +0000",
        "authorization": f"AWS {s3.key}:qgk2+6Sv9/oM7G3qLEjTH1a1l1g=",
    }
    request = s3.make("GET", "/photos/puppy.jpg", headers, ("us-west-1.s3.amazonaws.com",))
    assert s3.check(request, EXAMPLE_DAY + 2202.0).access_key == s3.key


def test_bucket_signed_with_a_slash_behind_it(s3: SimpleNamespace, now: float) -> None:
    signed = sign(s3, "GET", "http://localhost/b/?versions", {})
    headers = signed.headers | {"host": "localhost"}
    assert s3.check(s3.make("GET", "/b?versions", headers), now).access_key == s3.key


def test_date_in_an_amz_header_leaves_its_own_line_empty(s3: SimpleNamespace, now: float) -> None:
    date = formatdate(now, usegmt=True)
    to_sign = f"DELETE\n\n\n\nx-amz-date:{date}\n/b/k"
    signature = b64encode(hmac.digest(s3.secret.encode(), to_sign.encode(), "sha1")).decode()
    headers = {"host": "h", "date": "never", "x-amz-date": date, "authorization": f"AWS {s3.key}:{signature}"}
    assert s3.check(s3.make("DELETE", "/b/k", headers), now).access_key == s3.key


def test_signature_that_is_wrong_shows_what_was_signed(s3: SimpleNamespace, now: float) -> None:
    request = sign(s3, "PUT", "http://localhost/b/k?acl", add={"x-amz-meta-a": "b"})
    error = s3.refusal(request, now)
    assert (error.code, error.fields["AWSAccessKeyId"]) == ("SignatureDoesNotMatch", s3.key)
    assert error.fields["StringToSign"].endswith("\nx-amz-meta-a:b\n/b/k?acl")


def test_header_in_a_wrong_form(s3: SimpleNamespace, now: float) -> None:
    error = s3.refusal(s3.make("GET", "/", {"host": "h", "authorization": "AWS nonsense"}), now)
    assert error.code == "InvalidArgument"


def test_dates_that_are_none_or_off(s3: SimpleNamespace, now: float) -> None:
    assert s3.refusal(sign(s3, "GET", "http://localhost/b", drop=("date",)), now).code == "AccessDenied"
    for name, value in (("date", "yesterday"), ("date", "Tue, 07 Jul 1950 21:53:04 GMT"), ("x-amz-date", "")):
        error = s3.refusal(sign(s3, "GET", "http://localhost/b", add={name: value}), now)
        assert error.code == "AccessDenied"
    assert s3.refusal(sign(s3, "GET", "http://localhost/b"), now + 3600).code == "RequestTimeTooSkewed"


def test_link_that_expired(s3: SimpleNamespace, now: float) -> None:
    error = s3.refusal(sign(s3, "GET", "http://localhost/b/k", expires=60), now + 61)
    assert (error.code, error.message) == ("AccessDenied", "Request has expired")
    assert error.fields.keys() == {"Expires", "ServerTime"}


@pytest.mark.parametrize(
    "query", ["AWSAccessKeyId=a&Expires=1", "Signature=a&Expires=1", "AWSAccessKeyId=a&Signature=b"]
)
def test_link_that_is_not_whole(s3: SimpleNamespace, now: float, query: str) -> None:
    error = s3.refusal(s3.make("GET", f"/b/k?{query}", {"host": "h"}), now)
    assert error.code == "AccessDenied"
    assert error.message.startswith("Query-string authentication requires")


def test_link_whose_expiry_is_no_number(s3: SimpleNamespace, now: float) -> None:
    request = s3.make("GET", "/b/k?AWSAccessKeyId=a&Signature=b&Expires=soon", {"host": "h"})
    assert s3.refusal(request, now).message.startswith("Invalid date")


def test_headers_that_the_link_stands_for(s3: SimpleNamespace, now: float) -> None:
    headers = {"x-amz-meta-a": "b", "x-amz-storage-class": "GLACIER"}
    request = sign(s3, "PUT", "http://localhost/b/k", headers, expires=60, drop=tuple(headers))
    s3.check(request, now)
    assert headers.items() <= request.headers.items()


def test_unknown_access_key(s3: SimpleNamespace, now: float) -> None:
    request = s3.make("GET", f"/b/k?AWSAccessKeyId=a&Signature=b&Expires={int(now) + 60}", {"host": "h"})
    assert s3.refusal(request, now).code == "InvalidAccessKeyId"
