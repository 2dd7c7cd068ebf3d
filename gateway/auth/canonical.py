"""The canonical request: the one text that client and server both make of a request, to sign it.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

import functools

from gateway.auth.claim import SignedHeaders
from gateway.request import MOST_REMEMBERED, Request, percent_decode

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_IN_PATH = _UNRESERVED + b"/"
_ENCODED = [chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in range(256)]
_ENCODED_IN_PATH = [chr(byte) if byte in _IN_PATH else f"%{byte:02X}" for byte in range(256)]


def canonical_request(request: Request, host: str, signed: SignedHeaders, query: str, payload_hash: str) -> str:
    """Latin-1 throughout: one character for each byte that was sent."""
    headers = request.headers
    if request.sent_content_encoding is not None or headers.get("host") != host:
        headers = headers | {"host": host}
        if request.sent_content_encoding is not None:
            headers["content-encoding"] = request.sent_content_encoding
    lines = _header_lines(headers, signed)
    path = canonical_path(request.raw_path)
    return f"{request.method}\n{path}\n{query}\n{lines}\n\n{signed.text}\n{payload_hash}"


def canonical_path(raw_path: bytes) -> str:
    """Decoded and encoded once more, since clients differ in what they escape; never normalized."""
    if not raw_path.translate(None, _IN_PATH):
        return raw_path.decode("ascii") or "/"
    return "".join(map(_ENCODED_IN_PATH.__getitem__, percent_decode(raw_path)))


def canonical_query(raw_query: bytes, without: str = "") -> str:
    """All parameters but the one named `without`, encoded, in the order of name and then value."""
    if not raw_query:
        return ""
    parameters = [
        _remembered(pair) if len(pair) <= MOST_REMEMBERED else _parameter(pair) for pair in raw_query.split(b"&")
    ]
    parameters.sort()
    return "&".join([text for name, _, text in parameters if name and name != without])


def _parameter(pair: bytes) -> tuple[str, str, str]:
    """Name and value, encoded, and both as they stand in the text."""
    raw_name, _, raw_value = pair.partition(b"=")
    name, value = _encode(raw_name), _encode(raw_value)
    return name, value, f"{name}={value}"


_remembered = functools.lru_cache(maxsize=1024)(_parameter)


def _encode(raw: bytes) -> str:
    if not raw.translate(None, _UNRESERVED):
        return raw.decode("ascii")
    return "".join(map(_ENCODED.__getitem__, percent_decode(raw.replace(b"+", b" "))))


def _header_lines(headers: dict[str, str], signed: SignedHeaders) -> str:
    """A header that is signed but was not sent counts as empty, as clients that sign absent ones expect."""
    try:
        lines: str = signed.template % signed.values(headers)
    except KeyError:
        lines = "\n".join([f"{name}:{headers.get(name, '')}" for name in signed.names])
    if ("\t" in lines or " " in lines) and _has_stray_blanks(lines):
        lines = "\n".join([f"{name}:{_fold(headers.get(name, ''))}" for name in signed.names])
    return lines


def _has_stray_blanks(lines: str) -> bool:
    return "\t" in lines or "  " in lines or " \n" in lines or ": " in lines or lines[-1:] == " "


def _fold(value: str) -> str:
    # Not str.split(), to which some bytes of UTF-8 text, read as Latin-1, are white space.
    return " ".join([word for word in value.replace("\t", " ").split(" ") if word])
