"""AWS's own examples, and whatever botocore signs.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import hmac
import time
from base64 import b64encode
from email.utils import formatdate, parsedate_to_datetime
from types import SimpleNamespace
from urllib.parse import quote, urlencode, urlsplit

import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given
from hypothesis import strategies as st

from gateway.request import Request


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


UPLOAD = {
    "x-amz-acl": "public-read",
    "content-type": "application/x-download",
    "content-md5": "4gJE4saaMU4BqNR0kLY+lw==",
    "x-amz-meta-reviewedby": "joe@example.com,jane@example.com",
    "x-amz-meta-filechecksum": "0x02661779",
    "x-amz-meta-checksumalgorithm": "crc32",
    "content-disposition": "attachment; filename=database.dat",
    "content-encoding": "gzip",
    "content-length": "5913339",
}
EXAMPLES = {
    "object GET": ("GET", "/photos/puppy.jpg", "27 Mar 2007 19:36:42", {}, "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="),
    "object PUT": (
        *("PUT", "/photos/puppy.jpg", "27 Mar 2007 21:15:45"),
        *({"content-type": "image/jpeg", "content-length": "94328"}, "iqRzw+ileNPu1fhspnRs8nOjjIA="),
    ),
    "list": (
        *("GET", "/?prefix=photos&max-keys=50&marker=puppy", "27 Mar 2007 19:42:41"),
        *({"user-agent": "Mozilla/5.0"}, "m0WP8eCtspQl5Ahe6L1SozdX9YA="),
    ),
    "fetch": ("GET", "/?acl", "27 Mar 2007 19:44:46", {}, "82ZHiFIjc+WbcwFKGUVEQspPn+0="),
    # As the page's string to sign has it; the request it shows with that has an x-amz-date.
    "delete": (
        *("DELETE", "/awsexamplebucket1/photos/puppy.jpg", "27 Mar 2007 21:20:26"),
        *({"host": "s3.example"}, "XbyTlbQdu9Xw5o8P4iMwPktxQd8="),
    ),
    # The page shows another signature, which is not that of its own string to sign.
    "upload": (
        *("PUT", "/static.example.com/db-backup.dat.gz", "27 Mar 2007 21:06:08"),
        *({"host": "s3.example"} | UPLOAD, "jtBQa0Aq+DkULFI8qrpwIjGEx0E="),
    ),
    "list all my buckets": (
        *("GET", "/", "28 Mar 2007 01:29:59"),
        *({"host": "s3.example"}, "qGdzdERIC03wnaRNKh6OqZehG9s="),
    ),
    "unicode keys": (
        *("GET", "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re", "28 Mar 2007 01:49:49"),
        *({"host": "s3.example"}, "DNEZGsoieTZ92F3bUfSPQcbGmlM="),
    ),
}


@pytest.mark.parametrize(("method", "target", "date", "headers", "signature"), EXAMPLES.values(), ids=EXAMPLES)
def test_example_of_aws(
    s3: SimpleNamespace, method: str, target: str, date: str, headers: dict[str, str], signature: str
) -> None:
    weekday = "Tue" if date.startswith("27") else "Wed"
    sent = {
        "host": "awsexamplebucket1.s3.example",
        "date": f"{weekday}, {date} +0000",
        "authorization": f"AWS {s3.key}:{signature}",
    }
    request = s3.make(method, target, sent | headers, ("s3.example",))
    moment = parsedate_to_datetime(sent["date"]).timestamp()
    assert s3.check(request, moment).access_key == s3.key
    request.headers["content-type"] = "text/html"
    assert s3.refusal(request, moment).code == "SignatureDoesNotMatch"


def test_example_of_aws_in_the_query(s3: SimpleNamespace) -> None:
    signature = "NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"
    target = f"/photos/puppy.jpg?AWSAccessKeyId={s3.key}&Signature={signature}&Expires=1175139620"
    request = s3.make("GET", target, {"host": "johnsmith.s3.example"}, ("s3.example",))
    assert s3.check(request, 1175139619.0).access_key == s3.key
    error = s3.refusal(request, 1175139620.0)
    assert error.fields == {"Expires": "2007-03-29T03:40:20Z", "ServerTime": "2007-03-29T03:40:20Z"}


@given(
    key=st.text(min_size=1, max_size=60),
    value=st.text(max_size=30),
    name=st.sampled_from(["versionId", "uploadId", "response-content-disposition", "prefix", "x-id"]),
)
def test_any_key_and_value(s3: SimpleNamespace, key: str, value: str, name: str) -> None:
    """An empty value counts as none here, without its `=`, where botocore would sign that: it is given another."""
    key, value = (part.encode("utf-8", "ignore").decode() or "k" for part in (key, value))
    url = f"http://localhost/b/{quote(key, safe='/~')}?{name}={quote(value, safe='-._~')}&tagging"
    now = time.time()
    assert s3.check(sign(s3, "GET", url), now).access_key == s3.key
    assert s3.check(sign(s3, "GET", url, expires=60), now).access_key == s3.key


@pytest.mark.parametrize("value", ["two  blanks", "  before and behind  ", "a: b", "tab\tinside"])
def test_header_values(s3: SimpleNamespace, now: float, value: str) -> None:
    headers = {"x-amz-meta-value": value}
    assert s3.check(sign(s3, "PUT", "http://localhost/b/k", dict(headers)), now).access_key == s3.key


@pytest.mark.parametrize(
    "name", ["acl", "%61cl", "tagging", "retention", "legal-hold", "versionId=a", "x-amz-acl=private"]
)
def test_parameter_added_to_a_link(s3: SimpleNamespace, now: float, name: str) -> None:
    request = sign(s3, "PUT", "http://localhost/b/k", expires=60)
    added = s3.make("PUT", f"/b/k?{request.raw_query.decode()}&{name}", {"host": "h"})
    assert s3.refusal(added, now).code == "SignatureDoesNotMatch"


def test_names_beyond_latin_1_in_a_link(s3: SimpleNamespace, now: float) -> None:
    request = sign(s3, "PUT", "http://localhost/b/k", expires=60)
    added = s3.make("PUT", f"/b/k?{request.raw_query.decode()}&x-amz-meta-%E2%82%AC=%C3%BC", {"host": "h"})
    error = s3.refusal(added, now)
    assert error.fields["StringToSign"].endswith("\nx-amz-meta-\u20ac:\u00fc\n/b/k")
    assert bytes.fromhex(error.fields["StringToSignBytes"]).decode() == error.fields["StringToSign"]


def test_what_is_said_of_the_body(s3: SimpleNamespace, now: float) -> None:
    digest = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
    for value, payload in (
        ("UNSIGNED-PAYLOAD", (None, False, False, None)),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", (None, True, True, None)),
        (digest, (digest, False, False, None)),
    ):
        headers = {"x-amz-content-sha256": value}
        length = {"content-length": "21"}
        request = sign(s3, "PUT", "http://localhost/b/k", dict(headers), add=length)
        assert s3.check(request, now).payload == payload
        request = sign(s3, "PUT", "http://localhost/b/k", dict(headers), expires=60, drop=tuple(headers), add=length)
        assert s3.check(request, now).payload == payload
    headers = {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"}
    error = s3.refusal(sign(s3, "PUT", "http://localhost/b/k", headers), now)
    assert (error.code, error.message[:20]) == ("InvalidRequest", "Signature Version 2 ")


def test_one_mechanism_only(s3: SimpleNamespace, now: float) -> None:
    link = sign(s3, "GET", "http://localhost/b/k", expires=60).raw_query.decode()
    other = s3.sign("GET", "http://localhost/b/k", expires=60).raw_query.decode()
    for target, headers, argument in (
        (f"/b/k?{link}", {"authorization": f"AWS {s3.key}:x"}, "Authorization"),
        (f"/b/k?{link}&{other}", {}, "Signature"),
    ):
        error = s3.refusal(s3.make("GET", target, {"host": "localhost"} | headers), now)
        assert (error.code, error.fields["ArgumentName"]) == ("InvalidArgument", argument)


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


@pytest.mark.parametrize("value", ["AWS nonsense", "AWS :signature", "AWS key:", "AWS :"])
def test_header_in_a_wrong_form(s3: SimpleNamespace, now: float, value: str) -> None:
    error = s3.refusal(s3.make("GET", "/", {"host": "h", "authorization": value}), now)
    assert (error.code, error.fields["ArgumentValue"]) == ("InvalidArgument", value)


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


@pytest.mark.parametrize(
    ("signed", "sent"),
    [
        ("response-content-type=a&versionId=v", "response-content-type=a%26versionId%3Dv"),
        ("partNumber=1&uploadId=u", "partNumber=1%26uploadId%3Du"),
    ],
)
def test_two_parameters_cannot_be_sent_as_one(s3: SimpleNamespace, now: float, signed: str, sent: str) -> None:
    """What Version 2 signs of them is the same text."""
    request = sign(s3, "GET", f"http://localhost/b/k?{signed}", expires=60)
    s3.check(request, now)
    changed = s3.make("GET", f"/b/k?{request.raw_query.decode().replace(signed, sent)}", dict(request.headers))
    assert changed.raw_query != request.raw_query
    assert s3.refusal(changed, now).code == "AccessDenied"


def test_two_headers_cannot_be_sent_as_one_parameter(s3: SimpleNamespace, now: float) -> None:
    request = sign(s3, "PUT", "http://localhost/b/k", {"x-amz-meta-a": "1", "x-amz-meta-b": "2"}, expires=60)
    s3.check(request, now)
    query = {name: value for name, value in request.query.items() if name[:6] != "x-amz-"}
    query["x-amz-meta-a"] = "1\nx-amz-meta-b:2"
    changed = s3.make("PUT", f"/b/k?{urlencode(query)}", {"host": "localhost"})
    assert s3.refusal(changed, now).code == "InvalidArgument"


def test_an_ampersand_in_a_value_is_one(s3: SimpleNamespace, now: float) -> None:
    url = "http://localhost/b/k?response-content-disposition=a%26b&versionId=v"
    assert s3.check(sign(s3, "GET", url, expires=60), now).access_key == s3.key
