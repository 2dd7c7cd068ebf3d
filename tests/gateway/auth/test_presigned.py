"""https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html"""

from __future__ import annotations

import hmac
from hashlib import sha256

import pytest

from gateway.auth.signing import SigningKey

HOST = {"host": "examplebucket.s3.amazonaws.com"}
EXAMPLE = (
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request"
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host"
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
)


def test_example_of_aws(s3):
    identity = s3.check(s3.make("GET", EXAMPLE, HOST), s3.example_time)
    assert identity.user.name == "example"
    assert identity.payload == (None, False, False, None)


def test_query_in_any_order(s3):
    path, _, query = EXAMPLE.partition("?")
    turned = path + "?" + "&".join(reversed(query.split("&")))
    s3.check(s3.make("GET", turned, HOST), s3.example_time)


@pytest.mark.parametrize(
    "name",
    [
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
    ],
)
def test_all_six_parameters_are_required(s3, name):
    path, _, query = EXAMPLE.partition("?")
    less = "&".join(pair for pair in query.split("&") if not pair.startswith(name + "="))
    error = s3.refusal(s3.make("GET", f"{path}?{less}", HOST), s3.example_time)
    assert error.code == "AuthorizationQueryParametersError"
    assert error.message == (
        "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential,"
        " X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
    )


CREDENTIAL = "Error parsing the X-Amz-Credential parameter; "


@pytest.mark.parametrize(
    ("find", "put", "message"),
    [
        ("AWS4-HMAC-SHA256", "AWS4-HMAC-MD5", 'X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"'),
        (
            "%2Faws4_request",
            "",
            CREDENTIAL + 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
        ),
        ("%2Fs3%2F", "%2Fsns%2F", CREDENTIAL + 'incorrect service "sns". This endpoint belongs to "s3".'),
        (
            "aws4_request",
            "aws5_request",
            CREDENTIAL + 'incorrect terminal "aws5_request". This endpoint uses "aws4_request".',
        ),
        (
            "%2F20130524%2F",
            "%2F32234Z34%2F",
            CREDENTIAL + 'incorrect date format "32234Z34". This date in the credential must be in the format',
        ),
        ("us-east-1", "eu-west-1", CREDENTIAL + "the region 'eu-west-1' is wrong; expecting 'us-east-1'"),
        (
            "%2F20130524%2F",
            "%2F20130525%2F",
            'Invalid credential date "20130525". This date is not the same as X-Amz-Date: "20130524".',
        ),
        (
            "20130524T000000Z",
            "20130524",
            "X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"",
        ),
        ("Expires=86400", "Expires=abc", "X-Amz-Expires should be a number"),
        ("Expires=86400", "Expires=-", "X-Amz-Expires should be a number"),
        ("Expires=86400", "Expires=%C2%B2", "X-Amz-Expires should be a number"),
        ("Expires=86400", "Expires=-7", "X-Amz-Expires must be non-negative"),
        ("Expires=86400", "Expires=604801", "X-Amz-Expires must be less than a week (in seconds);"),
        ("Expires=86400", "Expires=" + "9" * 5000, "X-Amz-Expires must be less than a week (in seconds);"),
    ],
)
def test_malformed(s3, find, put, message):
    error = s3.refusal(s3.make("GET", EXAMPLE.replace(find, put), HOST), s3.example_time)
    assert error.code == "AuthorizationQueryParametersError"
    assert error.message.startswith(message)


def test_wrong_region_names_the_right_one(s3):
    error = s3.refusal(s3.make("GET", EXAMPLE, HOST), s3.example_time, region="eu-west-1")
    assert error.fields == {"Region": "eu-west-1"}


def test_valid_until_it_expires(s3):
    s3.check(s3.make("GET", EXAMPLE, HOST), s3.example_time + 86399)
    error = s3.refusal(s3.make("GET", EXAMPLE, HOST), s3.example_time + 86400)
    assert (error.code, error.message) == ("AccessDenied", "Request has expired")
    assert error.fields == {
        "X-Amz-Expires": "86400",
        "Expires": "2013-05-25T00:00:00Z",
        "ServerTime": "2013-05-25T00:00:00Z",
    }


def test_not_yet_valid(s3):
    s3.check(s3.make("GET", EXAMPLE, HOST), s3.example_time - 900)
    error = s3.refusal(s3.make("GET", EXAMPLE, HOST), s3.example_time - 901)
    assert (error.code, error.message) == ("AccessDenied", "Request is not yet valid")
    assert error.fields == {
        "X-Amz-Date": "1369353600000",
        "Expires": "2013-05-25T00:00:00Z",
        "ServerTime": "2013-05-23T23:44:59Z",
    }


def test_date_at_the_end_of_the_calendar(s3):
    target = EXAMPLE.replace("20130524", "99991231")
    assert s3.refusal(s3.make("GET", target, HOST), s3.example_time).code == "AccessDenied"


@pytest.mark.parametrize(("expires", "valid"), [(1, True), (604800, True), (0, False), (604801, False)])
def test_range_of_expiry(s3, now, expires, valid):
    request = s3.sign("GET", "http://localhost:9000/b/k", expires=expires)
    date = int(now)  # botocore's, unless the second has just turned
    if valid:
        assert s3.check(request, date).user is not None
    else:
        assert s3.refusal(request, now).code in ("AccessDenied", "AuthorizationQueryParametersError")


def test_altered_url(s3):
    for find, put in [("test.txt", "test2.txt"), ("Expires=86400", "Expires=86401")]:
        error = s3.refusal(s3.make("GET", EXAMPLE.replace(find, put), HOST), s3.example_time)
        assert error.code == "SignatureDoesNotMatch"
    assert s3.refusal(s3.make("PUT", EXAMPLE, HOST), s3.example_time).code == "SignatureDoesNotMatch"
    added = s3.make("GET", EXAMPLE + "&response-content-type=text/html", HOST)
    assert s3.refusal(added, s3.example_time).code == "SignatureDoesNotMatch"


def test_unknown_access_key(s3, now):
    error = s3.refusal(s3.sign("GET", "http://localhost/b/k", key="AKIANOBODY", expires=60), now)
    assert error.code == "InvalidAccessKeyId"


def test_session_token_with_a_long_term_key(s3, now):
    error = s3.refusal(s3.sign("GET", "http://localhost/b/k", token="session", expires=60), now)
    assert error.code == "InvalidToken"


def test_one_mechanism_only(s3, now):
    request = s3.sign("GET", "http://localhost/b/k", expires=60, add={"authorization": "AWS4-HMAC-SHA256 x"})
    error = s3.refusal(request, now)
    assert error.code == "InvalidArgument"
    assert error.message.startswith("Only one auth mechanism allowed;")
    assert error.fields["ArgumentName"] == "Authorization"


def test_unsigned_header_beside_the_url(s3, now):
    request = s3.sign("PUT", "http://localhost/b/k", expires=60, add={"x-amz-tagging": "a=b"})
    error = s3.refusal(request, now)
    assert error.fields == {"HeadersNotSigned": "x-amz-tagging"}


def test_browser_may_add_a_content_type(s3, now):
    request = s3.sign("PUT", "http://localhost/b/k", expires=60, add={"content-type": "image/png"})
    assert s3.check(request, now).user is not None


def test_overrides_and_upload_part(s3, now):
    for method, url in [
        ("GET", "http://localhost/b/k?response-content-disposition=attachment%3B%20filename%3D%22a%20b%22"),
        ("PUT", "http://localhost/b/k?partNumber=1&uploadId=abc"),
    ]:
        assert s3.check(s3.sign(method, url, expires=60), now).user is not None


def test_headers_in_the_url_become_headers(s3, now):
    url = "http://localhost/b/k?x-amz-acl=private&X-Amz-Meta-Color=blue%20green"
    request = s3.sign("PUT", url, expires=60)
    s3.check(request, now)
    assert request.headers["x-amz-acl"] == "private"
    assert request.headers["x-amz-meta-color"] == "blue green"
    assert "x-amz-signature" not in request.headers


def test_header_and_parameter_that_differ(s3, now):
    url = "http://localhost/b/k?x-amz-acl=private"
    request = s3.sign("PUT", url, {"x-amz-acl": "public-read"}, expires=60)
    assert s3.refusal(request, now).code == "InvalidRequest"


@pytest.mark.parametrize("place", ["query", "header"])
def test_payload_hash_that_was_signed(s3, place):
    """As the SDKs of Go and JavaScript presign; the signature by plain hmac, for botocore does not."""
    digest = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072"
    scope = "20130524/us-east-1/s3/aws4_request"
    query = (
        f"X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256={digest}"
        f"&X-Amz-Credential={s3.key}%2F{scope.replace('/', '%2F')}"
        "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host"
    )
    headers = HOST | {"content-length": "21"}
    if place == "header":
        query = query.replace(f"&X-Amz-Content-Sha256={digest}", "")
        headers = headers | {"x-amz-content-sha256": digest}
    canonical = f"PUT\n/k\n{query}\nhost:{HOST['host']}\n\nhost\n{digest}"
    key = f"AWS4{s3.secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = "\n".join(["AWS4-HMAC-SHA256", "20130524T000000Z", scope, sha256(canonical.encode()).hexdigest()])
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    assert SigningKey(key).sign(text) == signature
    request = s3.make("PUT", f"/k?{query}&X-Amz-Signature={signature}", headers)
    assert s3.check(request, s3.example_time).payload.sha256 == digest
