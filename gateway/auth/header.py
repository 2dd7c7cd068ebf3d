"""Signature Version 4 in the Authorization header.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-auth-using-authorization-header.html
"""

from __future__ import annotations

import functools

from gateway.auth.canonical import canonical_query
from gateway.auth.claim import (
    MOST_REMEMBERED,
    Claim,
    Credential,
    SignedHeaders,
    date_mismatch,
    parse_credential,
    parse_signed_headers,
)
from gateway.auth.dates import refuse_skew, request_moment
from gateway.auth.errors import TooLong
from gateway.auth.payload import EMPTY_SHA256, require_payload_hash
from gateway.auth.proof import FindUser, Identity, known_user, prove, require_signed
from gateway.request import Request
from gateway.s3.errors import S3Error, invalid_argument


def authenticate_header(request: Request, authorization: str, find_user: FindUser, region: str, now: float) -> Identity:
    credential, signed, signature = parse_authorization(authorization, region)
    headers = request.headers
    moment = request_moment(headers)
    if moment.stamp[:8] != credential.day:
        raise _malformed(date_mismatch(credential.day, moment.stamp))
    user = known_user(credential.access_key, headers.get("x-amz-security-token"), find_user)
    refuse_skew(moment, now)
    payload_hash = headers.get("x-amz-content-sha256")
    if payload_hash != EMPTY_SHA256:
        payload_hash = require_payload_hash(payload_hash)
    require_signed(headers, signed)
    query = canonical_query(request.raw_query) if request.raw_query else ""
    return prove(request, Claim(credential, signed, signature, moment.stamp, query, payload_hash), user)


def parse_authorization(text: str, region: str) -> tuple[Credential, SignedHeaders, str]:
    """Usually the signature comes last; what stands before it repeats all day long and is parsed once."""
    head, comma, last = text.rpartition(",")
    name, _, signature = last.strip().partition("=")
    if comma and name == "Signature":
        try:
            return *_parse_head(head, region), signature
        except TooLong:
            pass
    parts = _components(text)
    return *_parse_terms(parts, region), _term(parts, "Signature")


@functools.lru_cache(maxsize=512)
def _parse_head(head: str, region: str) -> tuple[Credential, SignedHeaders]:
    if len(head) > 2 * MOST_REMEMBERED:
        raise TooLong
    return _parse_terms(_components(head) | {"Signature": ""}, region)


def _parse_terms(parts: dict[str, str], region: str) -> tuple[Credential, SignedHeaders]:
    if len(parts) != 3:
        raise _malformed(
            "the authorization header requires three components: Credential, SignedHeaders, and Signature."
        )
    credential = parse_credential(_term(parts, "Credential"), region, _malformed)
    return credential, parse_signed_headers(_term(parts, "SignedHeaders"))


def _term(parts: dict[str, str], name: str) -> str:
    if name not in parts:
        raise _malformed(f"missing {name}.")
    return parts[name]


def _components(text: str) -> dict[str, str]:
    algorithm, space, rest = text.partition(" ")
    if not space:
        message = "Authorization header is invalid -- one and only one ' ' (space) required."
        raise invalid_argument(message, "Authorization", text)
    if algorithm != "AWS4-HMAC-SHA256":
        raise invalid_argument("Unsupported Authorization Type", "Authorization", algorithm)
    parts = {}
    for component in rest.split(","):
        name, equals, value = component.strip().partition("=")
        if not equals:
            raise _malformed(f'the authorization component "{component.strip()}" is malformed.')
        parts[name] = value
    return parts


def _malformed(message: str, fields: dict[str, str] | None = None) -> S3Error:
    return S3Error("AuthorizationHeaderMalformed", f"The authorization header is malformed; {message}", fields=fields)
