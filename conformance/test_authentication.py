"""Header authentication: each way to be wrong has its own code.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from conformance.conftest import ALICE
from conformance.raw import Answer, Raw, Request
from conformance.refusals import refused
from conformance.server import Keys, Server
from conformance.signing import EMPTY_SHA256, canonical_request, signed_names


def get(raw: Raw, **change: Any) -> Answer:
    """GET / signed with something about the signer changed."""
    return raw.send(raw.prepare("GET", "/", signer=raw.signing(**change)))


def with_authorization(raw: Raw, change: Any) -> Answer:
    request = raw.prepare("GET", "/")
    request.headers["Authorization"] = change(request.headers["Authorization"])
    return raw.send(request)


def test_signed_rightly(raw: Raw) -> None:
    assert get(raw).status == 200


def test_second_user(raw: Raw) -> None:
    assert get(raw, keys=ALICE).status == 200


def test_access_key_that_is_not_there(raw: Raw) -> None:
    answer = get(raw, keys=Keys("NOSUCHACCESSKEY00000", "secret"))
    assert (answer.status, answer.code) == (403, "InvalidAccessKeyId")
    assert answer.text("AWSAccessKeyId") == "NOSUCHACCESSKEY00000"


def test_wrong_secret(raw: Raw) -> None:
    answer = get(raw, keys=Keys(raw.server.keys.access, "wrong secret"))
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_wrong_secret_at_a_head(raw: Raw) -> None:
    signer = raw.signing(keys=Keys(raw.server.keys.access, "wrong secret"))
    answer = raw.send(raw.prepare("HEAD", "/bucket", signer=signer))
    assert (answer.status, answer.body) == (403, b"")
    # MinIO's clients look for it: S3 itself says nothing but 403.
    assert answer.header("x-minio-error-code") == "SignatureDoesNotMatch"


def test_mismatch_shows_what_was_signed(raw: Raw) -> None:
    request = raw.prepare("GET", "/", {"a": "b"})
    request.target = "/?a=c"
    answer = raw.send(request)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")
    assert answer.text("AWSAccessKeyId") == raw.server.keys.access
    assert answer.text("SignatureProvided") == request.headers["Authorization"].rpartition("=")[2]
    assert (answer.text("StringToSign") or "").startswith("AWS4-HMAC-SHA256\n")
    canonical = answer.text("CanonicalRequest") or ""
    assert canonical.startswith("GET\n/\na=c\n")
    assert (answer.text("CanonicalRequestBytes") or "").replace(" ", "") == canonical.encode().hex()


@pytest.mark.parametrize("header", ["host", "x-amz-date", "x-amz-content-sha256", "x-amz-meta-a"])
def test_signed_header_that_was_changed(raw: Raw, bucket: str, header: str) -> None:
    request = raw.prepare("PUT", f"/{bucket}/key", headers={"x-amz-meta-a": "b"})
    changed = {
        "host": "elsewhere.example.com",
        "x-amz-date": (datetime.now(UTC) + timedelta(seconds=30)).strftime("%Y%m%dT%H%M%SZ"),
        "x-amz-content-sha256": "UNSIGNED-PAYLOAD",
        "x-amz-meta-a": "c",
    }
    request.headers = {
        name: changed[header] if name.lower() == header else value for name, value in request.headers.items()
    }
    answer = raw.send(request)
    assert (answer.status, answer.code) == (403, "SignatureDoesNotMatch")


def test_amz_header_that_was_not_signed_is_refused(raw: Raw, bucket: str) -> None:
    request = raw.prepare("PUT", f"/{bucket}/key")
    request.headers["x-amz-meta-added"] = "later"
    answer = raw.send(request)
    assert (answer.status, answer.code) == (403, "AccessDenied")
    assert answer.text("HeadersNotSigned") == "x-amz-meta-added"


def test_other_headers_need_no_signature(raw: Raw, bucket: str) -> None:
    request = raw.prepare("PUT", f"/{bucket}/key")
    request.headers |= {"User-Agent": "by hand", "X-Proxy-Says": "hello", "Cache-Control": "no-cache"}
    assert raw.send(request).status == 200


@pytest.mark.parametrize("minutes", [16, -16, 60 * 24 * 365])
def test_clock_that_is_off(raw: Raw, minutes: int) -> None:
    answer = get(raw, now=datetime.now(UTC) + timedelta(minutes=minutes))
    assert (answer.status, answer.code) == (403, "RequestTimeTooSkewed")
    assert answer.text("MaxAllowedSkewMilliseconds") == "900000"
    assert answer.text("RequestTime")
    assert answer.text("ServerTime")


@pytest.mark.parametrize("minutes", [14, -14])
def test_clock_that_is_off_a_little_is_well(raw: Raw, minutes: int) -> None:
    assert get(raw, now=datetime.now(UTC) + timedelta(minutes=minutes)).status == 200


def test_wrong_region(raw: Raw) -> None:
    answer = get(raw, region="eu-central-1")
    assert (answer.status, answer.code) == (400, "AuthorizationHeaderMalformed")
    assert answer.text("Region") == "us-east-1"


def test_wrong_service(raw: Raw) -> None:
    answer = get(raw, service="ec2")
    assert (answer.status, answer.code) == (400, "AuthorizationHeaderMalformed")


def test_scope_of_another_day(raw: Raw) -> None:
    answer = get(raw, day="20200101")
    assert (answer.status, answer.code) in (
        (403, "SignatureDoesNotMatch"),
        (400, "AuthorizationHeaderMalformed"),
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda value: value.replace("/aws4_request", ""),
        lambda value: value.replace("aws4_request", "aws5_request"),
        lambda value: value.replace("Credential=", "Kredential="),
        lambda value: value.partition(", Signature=")[0],
        lambda value: value.replace("SignedHeaders=", "Headers="),
        lambda value: "AWS4-HMAC-SHA256 nonsense",
    ],
)
def test_header_that_is_not_whole(raw: Raw, change: Any) -> None:
    answer = with_authorization(raw, change)
    assert (answer.status, answer.code) == (400, "AuthorizationHeaderMalformed")


@pytest.mark.parametrize("value", ["Basic dXNlcjpwYXNz", "Bearer token", "nonsense", "AWS4-HMAC-SHA512 Credential=a"])
def test_another_scheme_is_refused(raw: Raw, value: str) -> None:
    answer = with_authorization(raw, lambda _: value)
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_signature_version_2(server: Server, bucket: str) -> None:
    # AWS still takes it, and older clients know nothing else.
    client = server.client(signature_version="s3")
    client.put_object(Bucket=bucket, Key="a b/ü", Body=b"body", Metadata={"a": "b"}, ContentType="text/plain")
    assert client.get_object(Bucket=bucket, Key="a b/ü")["Metadata"] == {"a": "b"}
    assert client.list_object_versions(Bucket=bucket)["Versions"][0]["Key"] == "a b/ü"
    wrong = server.client(Keys(server.keys.access, "wrong secret"), signature_version="s3")
    with refused("SignatureDoesNotMatch", 403):
        wrong.list_buckets()


def test_spaces_and_case_of_the_header_do_not_matter(raw: Raw) -> None:
    assert with_authorization(raw, lambda value: value.replace(", ", ",")).status == 200
    assert with_authorization(raw, lambda value: value.replace(", ", ",   ")).status == 200


def test_header_values_are_trimmed_and_inner_spaces_folded(raw: Raw, bucket: str) -> None:
    request = raw.prepare("PUT", f"/{bucket}/key", headers={"x-amz-meta-a": "  b   c  "})
    assert raw.send(request).status == 200


def test_date_header_in_place_of_amz_date(raw: Raw) -> None:
    signer = raw.signing()
    request = raw.prepare("GET", "/", signer=signer)
    del request.headers["x-amz-date"]
    headers = {name: value for name, value in request.headers.items() if name != "Authorization"}
    headers["Date"] = signer.now.strftime("%a, %d %b %Y %H:%M:%S GMT")
    names = signed_names(headers)
    signature = signer.sign(canonical_request("GET", "/", {}, headers, names, EMPTY_SHA256))
    headers["Authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={signer.keys.access}/{signer.scope}, "
        f"SignedHeaders={';'.join(names)}, Signature={signature}"
    )
    assert raw.send(Request("GET", "/", headers)).status == 200


def test_without_a_date_is_refused(raw: Raw) -> None:
    request = raw.prepare("GET", "/")
    del request.headers["x-amz-date"]
    answer = raw.send(request)
    assert (answer.status, answer.code) == (403, "AccessDenied")


def test_without_a_payload_hash_is_refused(raw: Raw) -> None:
    request = raw.prepare("GET", "/")
    del request.headers["x-amz-content-sha256"]
    answer = raw.send(request)
    assert (answer.status, answer.code) == (400, "InvalidRequest")


@pytest.mark.parametrize("payload", ["nonsense", "0" * 63, "STREAMING-SOMETHING"])
def test_payload_hash_that_cannot_be_is_refused(raw: Raw, payload: str) -> None:
    answer = raw.send(raw.prepare("GET", "/", payload=payload))
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_query_with_odd_names_and_values(raw: Raw, bucket: str) -> None:
    query = {"prefix": "a b+c/d%e&f=g~é", "list-type": "2", "fetch-owner": ""}
    assert raw.get(f"/{bucket}", query).status == 200


def test_query_in_any_order_and_without_equals_sign(raw: Raw, bucket: str) -> None:
    request = raw.prepare("GET", f"/{bucket}", {"versions": "", "prefix": "x", "max-keys": "1"})
    for query in ("versions&max-keys=1&prefix=x", "prefix=x&versions=&max-keys=1"):
        request.target = f"/{bucket}?{query}"
        assert raw.send(request).status == 200


def test_both_header_and_query_are_refused(raw: Raw) -> None:
    signed, presigned = raw.prepare("GET", "/"), raw.presign("GET", "/")
    answer = raw.send(Request("GET", presigned.target, signed.headers))
    assert (answer.status, answer.code) == (400, "InvalidArgument")


def test_behind_a_proxy_the_forwarded_host_counts_too(raw: Raw) -> None:
    """A client signed for the name it knows; the proxy put its own in Host and the client's in X-Forwarded-Host."""
    request = raw.prepare("GET", "/", headers={"Host": "s3.example.com"})
    proxied = request.headers | {"Host": raw.host, "X-Forwarded-Host": "s3.example.com"}
    assert raw.send(Request("GET", "/", proxied)).status == 200
    unproxied = request.headers | {"Host": raw.host}
    assert raw.send(Request("GET", "/", unproxied)).code == "SignatureDoesNotMatch"


def test_forwarded_headers_do_not_break_a_signature(raw: Raw) -> None:
    request = raw.prepare("GET", "/")
    request.headers |= {
        "X-Forwarded-Host": "s3.example.com",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Port": "443",
    }
    assert raw.send(request).status == 200
