"""Cross-origin requests: what a bucket lets pages of other sites do, and the headers that tell their browsers so.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/cors.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

import msgspec

from catalog.records import Bucket
from gateway.request import Request
from gateway.s3.errors import S3Error
from gateway.s3.rendered import Rendered, join_lines

SETTING = "cors"  # the name of a bucket's configuration, whose rules are kept as JSON
METHODS = frozenset({"GET", "PUT", "POST", "DELETE", "HEAD"})
VARY = "vary: Origin, Access-Control-Request-Headers, Access-Control-Request-Method\r\n"
# The word is S3's own.
NOT_ALLOWED = (
    "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method /"
    " Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec."
)


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """https://docs.aws.amazon.com/AmazonS3/latest/API/API_CORSRule.html"""

    allowed_methods: list[str]
    allowed_origins: list[str]
    allowed_headers: list[str] = []
    expose_headers: list[str] = []
    max_age_seconds: int | None = None
    id: str | None = None


def rules_of(bucket: Bucket) -> tuple[Rule, ...]:
    return read_rules((bucket.settings or {}).get(SETTING, ""))


@lru_cache(maxsize=256)
def read_rules(kept: str) -> tuple[Rule, ...]:
    return _decode(kept) if kept else ()


def preflight(request: Request, rules: Sequence[Rule] | None) -> Rendered:
    """The answer to OPTIONS, by the rules of the bucket (None: there is no such bucket). It is the same for any key.

    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTOPTIONSobject.html
    """
    headers = request.headers
    if not headers.get("origin"):
        raise S3Error("BadRequest", "Insufficient information. Origin request header needed.")
    method = headers.get("access-control-request-method")
    fields = {"Method": method or request.method, "ResourceType": "BUCKET"}
    if rules is None:
        raise S3Error("AccessForbidden", "CORSResponse: Bucket not found", fields=fields)
    if not rules:
        raise S3Error("AccessForbidden", fields=fields)
    if method not in METHODS:
        raise S3Error("BadRequest", f"Invalid Access-Control-Request-Method: {method or 'null'}")
    lines = granted(request, rules)
    if not lines:
        fields["ResourceType"] = "BUCKET" if request.key is None else "OBJECT"
        raise S3Error("AccessForbidden", NOT_ALLOWED, fields=fields)
    return Rendered(200, lines + b"content-length: 0\r\n", b"")


def granted(request: Request, rules: Iterable[Rule]) -> bytes:
    """The header lines of the first rule that fits a request with an Origin, or none.

    Also of one that is no preflight, S3 takes the method and the headers from what it says it asks for, if it does.
    """
    headers = request.headers
    origin = headers["origin"]
    method = headers.get("access-control-request-method", request.method)
    names = (name.strip().lower() for name in headers.get("access-control-request-headers", "").split(","))
    asked = [name for name in names if name]
    for rule in rules:
        fitting = next((allowed for allowed in rule.allowed_origins if _fits(allowed, origin)), None)
        if fitting is not None and method in rule.allowed_methods and all(_allows(rule, name) for name in asked):
            return _lines(rule, "*" if fitting == "*" else origin, asked)
    return b""


def check(rules: Sequence[Rule]) -> None:
    """What S3 asks of a rule's values. Raises InvalidRequest.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html
    """
    for rule in rules:
        for method in rule.allowed_methods:
            if method not in METHODS:
                raise _invalid(f"Found unsupported HTTP method in CORS config. Unsupported method is {method}")
        for name, values in (("AllowedOrigin", rule.allowed_origins), ("AllowedHeader", rule.allowed_headers)):
            for value in values:
                if value.count("*") > 1:
                    raise _invalid(f'{name} "{value}" can not have more than one wildcard.')
        for value in (*rule.allowed_headers, *rule.expose_headers):
            if not _is_token(value):
                raise _invalid(f'AllowedHeader "{value}" contains invalid character.')  # S3 says so of either
        for value in rule.expose_headers:
            if "*" in value:
                raise _invalid(
                    f'ExposeHeader "{value}" contains wildcard. We currently do not support wildcard for ExposeHeader.'
                )


def _lines(rule: Rule, origin: str, asked: Sequence[str]) -> bytes:
    lines = [
        f"access-control-allow-origin: {origin}\r\n",
        f"access-control-allow-methods: {', '.join(rule.allowed_methods)}\r\n",
    ]
    if asked:
        lines.append(f"access-control-allow-headers: {', '.join(asked)}\r\n")
    if rule.expose_headers:
        lines.append(f"access-control-expose-headers: {', '.join(rule.expose_headers)}\r\n")
    if rule.max_age_seconds is not None:
        lines.append(f"access-control-max-age: {rule.max_age_seconds}\r\n")
    if origin != "*":
        lines.append("access-control-allow-credentials: true\r\n")
    return join_lines([*lines, VARY])


def _allows(rule: Rule, header: str) -> bool:
    return any(_fits(allowed.lower(), header) for allowed in rule.allowed_headers)


def _fits(pattern: str, text: str) -> bool:
    """The one `*` that a pattern may have stands for anything, and for nothing."""
    before, star, behind = pattern.partition("*")
    if not star:
        return pattern == text
    return len(text) >= len(before) + len(behind) and text.startswith(before) and text.endswith(behind)


def _invalid(message: str) -> S3Error:
    return S3Error("InvalidRequest", message)


_is_token = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+").fullmatch  # RFC 9110, 5.6.2
_decode = msgspec.json.Decoder(tuple[Rule, ...]).decode
