"""The canonical request: the one text that client and server both make of a request, to sign it.

https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
"""

from __future__ import annotations

from gateway.auth.claim import SignedHeaders
from gateway.request import Request, percent_decode

_UNRESERVED = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_IN_PATH = _UNRESERVED + b"/"
_IN_QUERY = _UNRESERVED + b"=&%"
_ESCAPES = frozenset(b"%02X" % byte for byte in range(256) if byte not in _UNRESERVED)
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
    if _is_encoded(raw_query):
        pairs = [pair.partition("=") for pair in raw_query.decode("ascii").split("&")]
    else:
        pairs = [(_encode(name), "", _encode(value)) for name, _, value in _split(raw_query)]
    pairs.sort()
    return "&".join([f"{name}={value}" for name, _, value in pairs if name and name != without])


def _is_encoded(raw_query: bytes) -> bool:
    """Whether it is encoded already as S3 would do it, which is what most clients send."""
    if raw_query.translate(None, _IN_QUERY):
        return False
    if any(escape[:2] not in _ESCAPES for escape in raw_query.split(b"%")[1:]):
        return False
    return all(pair.count(b"=") < 2 for pair in raw_query.split(b"&"))


def _split(raw_query: bytes) -> list[tuple[bytes, bytes, bytes]]:
    return [pair.partition(b"=") for pair in raw_query.split(b"&")]


def _encode(raw: bytes) -> str:
    return "".join(map(_ENCODED.__getitem__, percent_decode(raw.replace(b"+", b" "))))


def _header_lines(headers: dict[str, str], signed: SignedHeaders) -> str:
    """A header that is signed but was not sent counts as empty, as clients that sign absent ones expect."""
    try:
        lines: str = signed.template % signed.values(headers)
    except KeyError:
        lines = "\n".join([f"{name}:{headers.get(name, '')}" for name in signed.names])
    if "  " in lines or "\t" in lines or " \n" in lines or ": " in lines or lines[-1:] == " ":
        lines = "\n".join([f"{name}:{_fold(headers.get(name, ''))}" for name in signed.names])
    return lines


def _fold(value: str) -> str:
    # Not str.split(), to which some bytes of UTF-8 text, read as Latin-1, are white space.
    return " ".join([word for word in value.replace("\t", " ").split(" ") if word])
