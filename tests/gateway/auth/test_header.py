"""https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html"""

from __future__ import annotations

import pytest

EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
HOST = "examplebucket.s3.amazonaws.com"
MALFORMED = "The authorization header is malformed; "


def authorization(signed, signature, scope="20130524/us-east-1/s3/aws4_request", key="AKIAIOSFODNN7EXAMPLE"):
    return f"AWS4-HMAC-SHA256 Credential={key}/{scope},SignedHeaders={signed},Signature={signature}"


def example(target, headers, signed, signature, **kwargs):
    """Host and date of every example on AWS's page."""
    base = {"host": HOST, "x-amz-date": "20130524T000000Z", "x-amz-content-sha256": EMPTY}
    return target, base | headers | {"authorization": authorization(signed, signature, **kwargs)}


GET_OBJECT = example(
    "/test.txt",
    {"range": "bytes=0-9"},
    "host;range;x-amz-content-sha256;x-amz-date",
    "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41",
)
GET_LIFECYCLE = example(
    "/?lifecycle",
    {},
    "host;x-amz-content-sha256;x-amz-date",
    "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543",
)
LIST_OBJECTS = example(
    "/?max-keys=2&prefix=J",
    {},
    "host;x-amz-content-sha256;x-amz-date",
    "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7",
)
PUT_OBJECT = example(
    "/test%24file.text",
    {
        "date": "Fri, 24 May 2013 00:00:00 GMT",
        "content-length": "21",
        "x-amz-storage-class": "REDUCED_REDUNDANCY",
        "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
    },
    "date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class",
    "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
)


@pytest.mark.parametrize(
    ("method", "request_"),
    [("GET", GET_OBJECT), ("GET", GET_LIFECYCLE), ("GET", LIST_OBJECTS), ("PUT", PUT_OBJECT)],
)
def test_examples_of_aws(s3, method, request_):
    identity = s3.check(s3.make(method, *request_), s3.example_time)
    assert identity.user.name == "example"
    assert identity.access_key == s3.key
    assert identity.payload.sha256 == request_[1]["x-amz-content-sha256"]


def test_example_with_the_dollar_sign_unescaped(s3):
    s3.check(s3.make("PUT", "/test$file.text", PUT_OBJECT[1]), s3.example_time)


def test_blanks_after_commas_and_any_order(s3):
    target, headers = GET_OBJECT
    text = headers["authorization"]
    spaced = text.replace(",", ", ")
    algorithm, _, parts = text.partition(" ")
    turned = f"{algorithm} " + ",".join(reversed(parts.split(",")))
    for value in (spaced, turned):
        s3.check(s3.make("GET", target, headers | {"authorization": value}), s3.example_time)


@pytest.mark.parametrize(
    ("find", "put", "message"),
    [
        (
            ",SignedHeaders=host;range;x-amz-content-sha256;x-amz-date",
            "",
            "the authorization header requires three components: Credential, SignedHeaders, and Signature.",
        ),
        ("Credential=", "Credentials=", "missing Credential."),
        ("SignedHeaders=", "Signed=", "missing SignedHeaders."),
        ("Signature=", "Sig=", "missing Signature."),
        ("SignedHeaders=host", "SignedHeaders-host", 'the authorization component "SignedHeaders-host;'),
        (
            "/20130524/",
            "/",
            'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".',
        ),
        (
            "AKIAIOSFODNN7EXAMPLE/",
            "/",
            "a non-empty Access Key (AKID) must be provided in the credential.",
        ),
        ("/s3/", "/ec2/", 'incorrect service "ec2". This endpoint belongs to "s3".'),
        (
            "aws4_request",
            "aws_request",
            'incorrect terminal "aws_request". This endpoint uses "aws4_request".',
        ),
        (
            "/20130524/",
            "/2013-05-24/",
            'incorrect date format "2013-05-24". This date in the credential must be in the format',
        ),
        (
            "/20130524/",
            "/20131324/",
            'incorrect date format "20131324". This date in the credential must be in the format',
        ),
        (
            "/20130524/",
            "/20130525/",
            'Invalid credential date "20130525". This date is not the same as X-Amz-Date: "20130524".',
        ),
    ],
)
def test_malformed(s3, find, put, message):
    target, headers = GET_OBJECT
    headers = headers | {"authorization": headers["authorization"].replace(find, put)}
    error = s3.refusal(s3.make("GET", target, headers), s3.example_time)
    assert error.code == "AuthorizationHeaderMalformed"
    assert error.message.startswith(MALFORMED + message)


def test_wrong_region_names_the_right_one(s3):
    error = s3.refusal(s3.make("GET", *GET_OBJECT), s3.example_time, region="eu-west-1")
    assert error.code == "AuthorizationHeaderMalformed"
    assert error.message == MALFORMED + "the region 'us-east-1' is wrong; expecting 'eu-west-1'"
    assert error.fields == {"Region": "eu-west-1"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("nonsense", "Authorization header is invalid -- one and only one ' ' (space) required."),
        ("Bearer abc", "Unsupported Authorization Type"),
        ("AWS4-ECDSA-P256-SHA256 Credential=a,SignedHeaders=b,Signature=c", "Unsupported Authorization Type"),
    ],
)
def test_not_an_authorization_of_aws(s3, value, message):
    error = s3.refusal(s3.make("GET", "/", {"host": "h", "authorization": value}), s3.example_time)
    assert (error.code, error.message) == ("InvalidArgument", message)
    assert error.fields["ArgumentName"] == "Authorization"
    assert error.fields["ArgumentValue"] == value.partition(" ")[0]


def test_unknown_access_key(s3, now):
    error = s3.refusal(s3.sign("GET", "http://localhost/", key="AKIANOBODY"), now)
    assert error.code == "InvalidAccessKeyId"
    assert error.fields == {"AWSAccessKeyId": "AKIANOBODY"}


def test_session_token_with_a_long_term_key(s3, now):
    error = s3.refusal(s3.sign("GET", "http://localhost/", token="session"), now)
    assert error.code == "InvalidToken"


def test_wrong_secret_shows_what_was_signed(s3, now):
    request = s3.sign("GET", "http://localhost:9000/b/k?a=1", secret="wrong")
    error = s3.refusal(request, now)
    assert error.code == "SignatureDoesNotMatch"
    fields = error.fields
    assert list(fields) == [
        "AWSAccessKeyId",
        "StringToSign",
        "SignatureProvided",
        "StringToSignBytes",
        "CanonicalRequest",
        "CanonicalRequestBytes",
    ]
    assert fields["AWSAccessKeyId"] == s3.key
    assert fields["SignatureProvided"] == request.headers["authorization"].rpartition("=")[2]
    assert fields["CanonicalRequest"].startswith("GET\n/b/k\na=1\nhost:localhost:9000\n")
    assert bytes.fromhex(fields["CanonicalRequestBytes"]).decode() == fields["CanonicalRequest"]
    assert bytes.fromhex(fields["StringToSignBytes"]).decode() == fields["StringToSign"]


@pytest.mark.parametrize("change", ["\u00e9", "", "0" * 64])
def test_signature_that_cannot_be_one(s3, change):
    target, headers = GET_OBJECT
    head = headers["authorization"].rpartition("=")[0]
    request = s3.make("GET", target, headers | {"authorization": f"{head}={change}"})
    assert s3.refusal(request, s3.example_time).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    ("name", "value"), [("host", "evil.example"), ("range", "bytes=0-10"), ("x-amz-content-sha256", "0" * 64)]
)
def test_altered_header(s3, name, value):
    target, headers = GET_OBJECT
    error = s3.refusal(s3.make("GET", target, headers | {name: value}), s3.example_time)
    assert error.code == "SignatureDoesNotMatch"


@pytest.mark.parametrize(("method", "target"), [("HEAD", "/test.txt"), ("GET", "/test2.txt"), ("GET", "/test.txt?acl")])
def test_altered_method_path_or_query(s3, method, target):
    assert s3.refusal(s3.make(method, target, GET_OBJECT[1]), s3.example_time).code == "SignatureDoesNotMatch"


@pytest.mark.parametrize("seconds", [-900, 0, 900])
def test_clocks_may_differ_by_fifteen_minutes(s3, seconds):
    s3.check(s3.make("GET", *GET_OBJECT), s3.example_time + seconds)


@pytest.mark.parametrize("seconds", [-901, 901])
def test_clocks_too_far_apart(s3, seconds):
    error = s3.refusal(s3.make("GET", *GET_OBJECT), s3.example_time + seconds)
    assert error.code == "RequestTimeTooSkewed"
    assert error.fields == {
        "RequestTime": "20130524T000000Z",
        "ServerTime": "2013-05-24T00:15:01Z" if seconds > 0 else "2013-05-23T23:44:59Z",
        "MaxAllowedSkewMilliseconds": "900000",
    }


def test_payload_hash_is_required(s3, now):
    error = s3.refusal(s3.sign("GET", "http://localhost/", drop=("x-amz-content-sha256",)), now)
    assert error.code == "InvalidRequest"
    assert error.message == "Missing required header for this request: x-amz-content-sha256"


def test_invalid_payload_hash(s3, now):
    request = s3.sign("GET", "http://localhost/", add={"x-amz-content-sha256": "invalid"})
    error = s3.refusal(request, now)
    assert error.code == "InvalidArgument"
    assert error.fields == {"ArgumentName": "x-amz-content-sha256", "ArgumentValue": "invalid"}
