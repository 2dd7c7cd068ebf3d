from __future__ import annotations

import pytest


def test_every_amz_header_must_be_signed(s3, now):
    request = s3.sign(
        "PUT", "http://localhost/b/k", add={"x-amz-tagging": "a=b", "x-amz-copy-source": "b/k", "range": "x"}
    )
    error = s3.refusal(request, now)
    assert error.code == "AccessDenied"
    assert error.message == "There were headers present in the request which were not signed"
    assert error.fields == {"HeadersNotSigned": "x-amz-copy-source, x-amz-tagging"}


def test_host_must_be_signed(s3):
    headers = {
        "host": "h",
        "x-amz-date": "20130524T000000Z",
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        "authorization": f"AWS4-HMAC-SHA256 Credential={s3.key}/20130524/us-east-1/s3/aws4_request,"
        "SignedHeaders=x-amz-date,Signature=0",
    }
    error = s3.refusal(s3.make("GET", "/", headers), s3.example_time)
    assert error.fields == {"HeadersNotSigned": "host"}


def test_trace_and_other_headers_need_no_signature(s3, now):
    added = {"x-amzn-trace-id": "Root=1", "user-agent": "x", "expect": "100-continue", "content-type": "a/b"}
    assert s3.check(s3.sign("GET", "http://localhost/b/k", add=added), now).user is not None


@pytest.mark.parametrize(
    "added",
    [
        {"host": "10.0.0.7:9000", "x-forwarded-host": "s3.example.com"},
        {"host": "10.0.0.7:9000", "x-forwarded-host": "s3.example.com, inner.example"},
        {"host": "s3.example.com:8443", "x-forwarded-host": "s3.example.com"},
    ],
)
def test_proxy_that_rewrites_host(s3, now, added):
    assert s3.check(s3.sign("GET", "http://s3.example.com/b/k", add=added), now).user is not None


def test_proxy_that_strips_the_port(s3, now):
    added = {"host": "inner", "x-forwarded-host": "s3.example.com", "x-forwarded-port": "8443"}
    assert s3.check(s3.sign("GET", "http://s3.example.com:8443/b/k", add=added), now).user is not None


def test_forwarded_host_that_was_not_signed(s3, now):
    added = {"host": "inner", "x-forwarded-host": "other.example.com"}
    error = s3.refusal(s3.sign("GET", "http://s3.example.com/b/k", add=added), now)
    assert error.code == "SignatureDoesNotMatch"


def test_proxy_that_hides_the_bucket_in_host(s3, now):
    request = s3.sign(
        "GET",
        "http://bucket.s3.example.com/k",
        add={"host": "10.0.0.7", "x-forwarded-host": "bucket.s3.example.com"},
        domains=("s3.example.com",),
    )
    assert (request.bucket, request.key) == ("bucket", "k")
    assert s3.check(request, now).user is not None


def test_forwarded_host_cannot_redirect_a_signed_request(s3, now):
    request = s3.sign(
        "GET",
        "http://s3.example.com/bucket/k",
        add={"x-forwarded-host": "other.s3.example.com"},
        domains=("s3.example.com",),
    )
    assert request.bucket == "other"
    assert s3.refusal(request, now).code == "SignatureDoesNotMatch"
