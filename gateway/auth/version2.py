"""Signature Version 2: AWS still takes it, and boto3 and aws-cli presign URLs with it unless told otherwise.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import hmac
from base64 import b64encode

from catalog.records import User
from gateway.auth.dates import iso_time, parse_date, refuse_skew
from gateway.auth.payload import Payload, anonymous_payload
from gateway.auth.presigned import hoist
from gateway.auth.proof import FindUser, Identity, known_user
from gateway.auth.signing import signature_mismatch
from gateway.request import Request, is_number
from gateway.s3.errors import S3Error, invalid_argument

SCHEME = "AWS "
PARAMETERS = ("AWSAccessKeyId", "Expires", "Signature")

_BLANKS = " \t"

# The parameters that name a resource of its own or change the answer; others are not signed.
_SIGNED_PARAMETERS = frozenset(
    {
        *("accelerate", "acl", "analytics", "cors", "defaultObjectAcl", "delete", "encryption", "inventory"),
        *("legal-hold", "lifecycle", "location", "logging", "metrics", "notification", "object-lock"),
        *("ownershipControls", "partNumber", "policy", "publicAccessBlock", "replication", "requestPayment"),
        *("restore", "retention", "select", "select-type", "storageClass", "tagging", "torrent", "uploadId"),
        *("uploads", "versionId", "versioning", "versions", "website"),
        *("response-cache-control", "response-content-disposition", "response-content-encoding"),
        *("response-content-language", "response-content-type", "response-expires"),
    }
)


def is_presigned(query: dict[str, str]) -> bool:
    return "AWSAccessKeyId" in query or "Signature" in query


def authenticate_header(request: Request, authorization: str, find_user: FindUser, now: float) -> Identity:
    access_key, _, signature = authorization.removeprefix(SCHEME).rpartition(":")
    if not (access_key and signature):
        message = "AWS authorization header is invalid.  Expected AwsAccessKeyId:signature"
        raise invalid_argument(message, "Authorization", authorization)
    headers = request.headers
    sent = headers.get("x-amz-date")
    moment = parse_date(headers.get("date", "") if sent is None else sent)
    if moment is None or moment.seconds < 0:
        raise S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")
    user = known_user(access_key, headers.get("x-amz-security-token"), find_user)
    refuse_skew(moment, now)
    # The date is among the x-amz- headers already if it came in one.
    prove(request, user, signature, headers.get("date", "") if sent is None else "")
    return Identity(user, access_key, payload(request))


def authenticate_query(request: Request, find_user: FindUser, now: float) -> Identity:
    query = request.query
    access_key, expires, signature = (query.get(name, "") for name in PARAMETERS)
    if not (access_key and expires and signature):
        message = "Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters"
        raise S3Error("AccessDenied", message)
    if not is_number(expires):
        raise S3Error("AccessDenied", f"Invalid date (should be seconds since epoch): {expires}")
    if now >= int(expires):
        times = {"Expires": iso_time(int(expires)), "ServerTime": iso_time(now)}
        raise S3Error("AccessDenied", "Request has expired", fields=times)
    user = known_user(access_key, query.get("x-amz-security-token"), find_user)
    prove(request, user, signature, expires)
    hoist(request)
    return Identity(user, access_key, payload(request))


def prove(request: Request, user: User, signature: str, date: str) -> None:
    """Raises SignatureDoesNotMatch unless the signature is over this very request."""
    to_sign = [string_to_sign(request, date, path) for path in paths(request)]
    if not any(hmac.compare_digest(sign(user.secret_key, text), signature.encode()) for text in to_sign):
        shown = to_sign[0].encode("latin-1").decode("utf-8", "replace")
        raise signature_mismatch(user.access_key, shown, signature)


def sign(secret_key: str, text: str) -> bytes:
    return b64encode(hmac.digest(secret_key.encode(), text.encode("latin-1"), "sha1"))


def paths(request: Request) -> list[str]:
    """The path as it was sent, behind the bucket if the host named it. Some clients sign /bucket as /bucket/."""
    path = request.raw_path.decode("latin-1")
    if request.host_bucket is not None:
        path = f"/{request.host_bucket}{path}"
    return [path] if request.key is not None or path.endswith("/") else [path, f"{path}/"]


def string_to_sign(request: Request, date: str, path: str) -> str:
    """Latin-1: one character for each byte that is signed."""
    headers = request.headers
    lines = [request.method, headers.get("content-md5", ""), headers.get("content-type", ""), date]
    hoisted = {latin_1(name.lower()): latin_1(value) for name, value in request.query.items()}
    signed = {name: value for name, value in (hoisted | headers).items() if name[:6] == "x-amz-"}
    # Blanks within a value stay as they are, other than in Version 4.
    lines += [f"{name}:{value.strip(_BLANKS)}" for name, value in sorted(signed.items())]
    named = sorted((name, value) for name, value in request.query.items() if name in _SIGNED_PARAMETERS)
    query = "&".join(f"{name}={latin_1(value)}" if value else name for name, value in named)
    if len(shown := query.split("&")) > len(named) and _hides_one(shown, named):
        raise S3Error("AccessDenied", "A parameter's value looks like another parameter that Version 2 would sign.")
    return "\n".join([*lines, f"{path}?{query}" if query else path])


def _hides_one(shown: list[str], named: list[tuple[str, str]]) -> bool:
    """Version 2 signs values unescaped: one with a `&` in it may stand for two parameters that somebody signed."""
    return sum(pair.partition("=")[0] in _SIGNED_PARAMETERS for pair in shown) > len(named)


def latin_1(text: str) -> str:
    return text.encode().decode("latin-1")


def payload(request: Request) -> Payload:
    """The signature covers no body: what an anonymous request may announce of its own goes here, too."""
    return anonymous_payload(request, "Signature Version 2")
