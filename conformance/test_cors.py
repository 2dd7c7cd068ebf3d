"""Cross-origin requests as a browser makes them: the preflight, and what the answer to the request itself says.

What is expected is what S3 was recorded to answer, where its pages say nothing or something else: the methods of the
rule, not the one asked for, header names in lower case, and nothing but the missing headers where no rule fits.
"""

from __future__ import annotations

from typing import Any

import pytest

from conformance.raw import Answer, Raw

SITE = "https://app.example.com"
VARY = "Origin, Access-Control-Request-Headers, Access-Control-Request-Method"
RULE = {"AllowedMethods": ["GET", "PUT"], "AllowedOrigins": [SITE]}
NOT_ALLOWED = "CORSResponse: This CORS request is not allowed. "


def configure(s3: Any, bucket: str, *rules: dict[str, Any]) -> None:
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": list(rules)})


def preflight(raw: Raw, path: str, origin: str | None, method: str | None = None, *asked: str) -> Answer:
    headers = {"Origin": origin} if origin is not None else {}
    headers |= {"Access-Control-Request-Method": method} if method is not None else {}
    headers |= {"Access-Control-Request-Headers": ",".join(asked)} if asked else {}
    return raw.send(raw.plain("OPTIONS", path, headers))


def granted(answer: Answer) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers if name.lower().startswith(("access-", "vary"))}


def test_a_preflight_that_fits(s3: Any, raw: Raw, bucket: str) -> None:
    configure(
        s3, bucket, RULE | {"AllowedHeaders": ["*"], "MaxAgeSeconds": 3000, "ExposeHeaders": ["ETag", "x-amz-id-2"]}
    )
    answer = preflight(raw, f"/{bucket}/any", SITE, "PUT", "X-Amz-Date", "content-type")
    assert (answer.status, answer.body) == (200, b"")
    assert granted(answer) == {
        "access-control-allow-origin": SITE,
        "access-control-allow-methods": "GET, PUT",
        "access-control-allow-headers": "x-amz-date, content-type",
        "access-control-expose-headers": "ETag, x-amz-id-2",
        "access-control-max-age": "3000",
        "access-control-allow-credentials": "true",
        "vary": VARY,
    }
    assert answer.header("x-amz-request-id")


def test_any_origin(s3: Any, raw: Raw, bucket: str) -> None:
    configure(s3, bucket, {"AllowedMethods": ["GET"], "AllowedOrigins": ["*"]})
    assert granted(preflight(raw, f"/{bucket}/any", SITE, "GET")) == {
        "access-control-allow-origin": "*",
        "access-control-allow-methods": "GET",
        "vary": VARY,
    }


@pytest.mark.parametrize(
    ("origin", "method", "asked"),
    [
        ("http://app.example.com", "GET", ()),
        (f"{SITE}/", "GET", ()),
        (SITE, "DELETE", ()),
        (SITE, "GET", ("x-amz-meta-a",)),
        (SITE, "GET", ("x-amz-date", "x-amz-meta-a")),
    ],
)
def test_a_preflight_that_fits_no_rule(
    s3: Any, raw: Raw, bucket: str, origin: str, method: str, asked: tuple[str, ...]
) -> None:
    configure(s3, bucket, RULE | {"AllowedHeaders": ["X-Amz-Date", "x-amz-content-*"]})
    answer = preflight(raw, f"/{bucket}/key", origin, method, *asked)
    assert (answer.status, answer.code, answer.text("ResourceType")) == (403, "AccessForbidden", "OBJECT")
    assert answer.text("Method") == method
    assert (answer.text("Message") or "").startswith(NOT_ALLOWED)
    assert granted(answer) == {}
    assert preflight(raw, f"/{bucket}", origin, method, *asked).text("ResourceType") == "BUCKET"


def test_each_rule_in_order(s3: Any, raw: Raw, bucket: str) -> None:
    configure(s3, bucket, RULE, {"AllowedMethods": ["HEAD"], "AllowedOrigins": ["http://other", "https://*.com"]})
    assert granted(preflight(raw, f"/{bucket}", SITE, "PUT"))["access-control-allow-methods"] == "GET, PUT"
    assert granted(preflight(raw, f"/{bucket}", SITE, "HEAD"))["access-control-allow-methods"] == "HEAD"


def test_a_bucket_without_a_configuration(raw: Raw, bucket: str) -> None:
    answer = preflight(raw, f"/{bucket}/key", SITE, "PUT")
    assert (answer.status, answer.code, answer.text("Method")) == (403, "AccessForbidden", "PUT")
    assert answer.text("Message") == "CORSResponse: CORS is not enabled for this bucket."
    assert answer.text("ResourceType") == "BUCKET"
    assert preflight(raw, f"/{bucket}/key", SITE).text("Method") == "OPTIONS"


def test_a_bucket_that_is_not_there(raw: Raw) -> None:
    answer = preflight(raw, "/there-is-no-such-bucket/key", SITE, "PUT")
    assert (answer.status, answer.code) == (403, "AccessForbidden")
    assert answer.text("Message") == "CORSResponse: Bucket not found"


def test_a_preflight_that_does_not_say_enough(s3: Any, raw: Raw, bucket: str) -> None:
    configure(s3, bucket, RULE)
    answer = preflight(raw, f"/{bucket}/key", None, "PUT")
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert answer.text("Message") == "Insufficient information. Origin request header needed."
    for method, said in ((None, "null"), ("PATCH", "PATCH"), ("get", "get")):
        answer = preflight(raw, f"/{bucket}/key", SITE, method)
        assert (answer.status, answer.code) == (400, "BadRequest")
        assert answer.text("Message") == f"Invalid Access-Control-Request-Method: {said}"
    assert preflight(raw, f"/{bucket}/%ZZ", SITE, "PUT").code == "InvalidURI"


def test_a_request_says_what_its_rule_grants(s3: Any, raw: Raw, bucket: str) -> None:
    configure(s3, bucket, RULE | {"MaxAgeSeconds": 5})
    wanted = {
        "access-control-allow-origin": SITE,
        "access-control-allow-methods": "GET, PUT",
        "access-control-max-age": "5",
        "access-control-allow-credentials": "true",
        "vary": VARY,
    }
    put = raw.send(raw.prepare("PUT", f"/{bucket}/key", headers={"Origin": SITE}, body=b"body"))
    assert (put.status, granted(put)) == (200, wanted)
    got = raw.send(raw.presign("GET", f"/{bucket}/key", headers={"Origin": SITE}))
    assert (got.status, got.body, granted(got)) == (200, b"body", wanted)


def test_large_bodies_and_errors_say_so_too(s3: Any, raw: Raw, bucket: str) -> None:
    configure(s3, bucket, RULE)
    s3.put_object(Bucket=bucket, Key="large", Body=bytes(3 << 20))
    large = raw.send(raw.prepare("GET", f"/{bucket}/large", headers={"Origin": SITE}))
    assert (large.status, len(large.body), granted(large)["access-control-allow-origin"]) == (200, 3 << 20, SITE)
    missing = raw.send(raw.prepare("GET", f"/{bucket}/missing", headers={"Origin": SITE}))
    assert (missing.status, granted(missing)["access-control-allow-origin"]) == (404, SITE)
    unsigned = raw.send(raw.plain("GET", f"/{bucket}/large", {"Origin": SITE}))
    assert (unsigned.status, granted(unsigned)["access-control-allow-origin"]) == (403, SITE)


def test_a_request_that_fits_no_rule_is_served_without_a_word(s3: Any, raw: Raw, bucket: str) -> None:
    configure(s3, bucket, RULE)
    for headers in (
        {"Origin": "https://elsewhere"},
        {"Origin": SITE, "Access-Control-Request-Method": "DELETE"},
        {"Origin": SITE, "Access-Control-Request-Headers": "x-amz-date"},
        {},
    ):
        answer = raw.send(raw.prepare("GET", f"/{bucket}", headers=headers))
        assert (answer.status, granted(answer)) == (200, {})
    deleted = raw.send(raw.prepare("DELETE", f"/{bucket}/key", headers={"Origin": SITE}))
    assert (deleted.status, granted(deleted)) == (204, {})


def test_without_a_configuration_nothing_is_said(raw: Raw, bucket: str) -> None:
    for path in (f"/{bucket}", "/", "/there-is-no-such-bucket"):
        assert granted(raw.send(raw.prepare("GET", path, headers={"Origin": SITE}))) == {}
    assert raw.send(raw.plain("OPTIONS", "/", {"Origin": SITE})).status == 403
