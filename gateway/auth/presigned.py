"""Signature Version 4 in the query: presigned URLs.

https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
"""

from __future__ import annotations

from gateway.auth.canonical import canonical_query
from gateway.auth.claim import Claim, date_mismatch, parse_credential, parse_signed_headers
from gateway.auth.dates import MAX_SKEW, Moment, iso_time, parse_stamp
from gateway.auth.payload import UNSIGNED, require_payload_hash
from gateway.auth.proof import FindUser, Identity, known_user, prove, require_signed
from gateway.request import CHECKSUM_HEADERS, Request
from gateway.s3.errors import S3Error, invalid_argument

MAX_EXPIRES = 7 * 24 * 60 * 60

_REQUIRED = (
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Signature",
    "X-Amz-Date",
    "X-Amz-SignedHeaders",
    "X-Amz-Expires",
)
_MARKS = frozenset(_REQUIRED)
_CONTROLS = frozenset(map(chr, (*range(32), 127)))
_IGNORED = CHECKSUM_HEADERS | {"x-amz-sdk-checksum-algorithm"}
_CONDITIONS = frozenset({"if-match", "if-none-match"})
_NO_HEADERS = frozenset({*(name.lower() for name in _REQUIRED), "x-amz-security-token"})


def is_presigned(query: dict[str, str]) -> bool:
    return not _MARKS.isdisjoint(query)


def authenticate_query(request: Request, find_user: FindUser, region: str, now: float) -> Identity:
    query = request.query
    claim, moment = _parse_query(request, region)
    _refuse_untimely(query["X-Amz-Expires"], moment, now)
    user = known_user(claim.credential.access_key, query.get("X-Amz-Security-Token"), find_user)
    require_signed(request.headers, claim.signed)
    identity = prove(request, claim, user)
    hoist(request)
    return identity


def _parse_query(request: Request, region: str) -> tuple[Claim, Moment]:
    query = request.query
    if not all(query.get(name) for name in _REQUIRED):
        raise _refusal(
            "Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential,"
            " X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters."
        )
    if query["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256":
        raise _refusal('X-Amz-Algorithm only supports "AWS4-HMAC-SHA256"')
    credential = parse_credential(query["X-Amz-Credential"], region, _malformed)
    moment = parse_stamp(query["X-Amz-Date"])
    if moment is None:
        raise _refusal("X-Amz-Date must be in the ISO8601 Long Format \"yyyyMMdd'T'HHmmss'Z'\"")
    if moment.stamp[:8] != credential.day:
        raise _refusal(date_mismatch(credential.day, moment.stamp))
    payload_hash = query.get("X-Amz-Content-Sha256") or request.headers.get("x-amz-content-sha256", UNSIGNED)
    claim = Claim(
        credential,
        parse_signed_headers(query["X-Amz-SignedHeaders"]),
        query["X-Amz-Signature"],
        moment.stamp,
        canonical_query(request.raw_query, without="X-Amz-Signature"),
        require_payload_hash(payload_hash),
    )
    return claim, moment


def _refuse_untimely(text: str, moment: Moment, now: float) -> None:
    """Valid from its date, less the skew allowed to clocks, until it expires."""
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit()):
        raise _refusal("X-Amz-Expires should be a number")
    if digits != text:
        raise _refusal("X-Amz-Expires must be non-negative")
    if len(digits) > 9 or int(digits) > MAX_EXPIRES:
        raise _refusal(
            "X-Amz-Expires must be less than a week (in seconds);"
            f" that is, the given X-Amz-Expires must be less than {MAX_EXPIRES} seconds"
        )
    until = moment.seconds + int(digits)
    times = {"Expires": iso_time(until), "ServerTime": iso_time(now)}
    if now >= until:
        raise S3Error("AccessDenied", "Request has expired", fields={"X-Amz-Expires": digits} | times)
    if now < moment.seconds - MAX_SKEW:
        sent = {"X-Amz-Date": f"{moment.seconds * 1000:.0f}"}
        raise S3Error("AccessDenied", "Request is not yet valid", fields=sent | times)


def hoist(request: Request) -> None:
    """SDKs move x-amz-* headers and conditions into the URL they presign; S3 takes them for headers all the same.

    But for checksums, over which it passes: an SDK that presigns has no body yet, and puts in that of an empty one
    (https://github.com/aws/aws-sdk-js-v3/issues/6810, https://github.com/aws/aws-sdk-go-v2/issues/2610).
    """
    for name, value in request.query.items():
        header = name.lower()
        if not (header.startswith("x-amz-") or header in _CONDITIONS) or header in _NO_HEADERS or header in _IGNORED:
            continue
        if not _CONTROLS.isdisjoint(header + value):
            raise invalid_argument("A parameter that stands for a header holds what no header can.", name, value)
        if request.headers.setdefault(header, value) != value:
            raise S3Error("InvalidRequest", f"The header {header} and the parameter {name} differ in value.")


def _malformed(message: str, fields: dict[str, str] | None) -> S3Error:
    return _refusal(f"Error parsing the X-Amz-Credential parameter; {message}", fields)


def _refusal(message: str, fields: dict[str, str] | None = None) -> S3Error:
    return S3Error("AuthorizationQueryParametersError", message, fields=fields)
