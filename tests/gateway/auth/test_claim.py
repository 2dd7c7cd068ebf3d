from __future__ import annotations

import pytest

from gateway.auth.claim import parse_credential, parse_signed_headers
from gateway.s3.errors import S3Error


def malformed(message, fields):
    return S3Error("AuthorizationHeaderMalformed", message, fields=fields)


def test_credential():
    credential = parse_credential("AKID/20240229/eu-west-1/s3/aws4_request", "eu-west-1", malformed)
    assert credential == ("AKID", "20240229", "eu-west-1", "20240229/eu-west-1/s3/aws4_request")


def test_access_key_with_slashes():
    credential = parse_credential("a/b/20240229/eu-west-1/s3/aws4_request", "eu-west-1", malformed)
    assert credential.access_key == "a/b"


def test_credential_of_another_region():
    with pytest.raises(S3Error) as caught:
        parse_credential("AKID/20240229/us-east-1/s3/aws4_request", "eu-west-1", malformed)
    assert caught.value.fields == {"Region": "eu-west-1"}


def test_signed_headers_in_any_case():
    signed = parse_signed_headers("Host;X-Amz-Date")
    assert (signed.text, signed.names) == ("Host;X-Amz-Date", ("host", "x-amz-date"))
    assert signed.template % signed.values({"host": "h", "x-amz-date": "d"}) == "host:h\nx-amz-date:d"
