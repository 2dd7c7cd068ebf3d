"""Single values of headers and query parameters: text to what a handler takes, and back."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from email.errors import MessageError
from email.header import decode_header, make_header
from typing import Any

from botocore.model import Shape

from gateway.s3 import quirks
from gateway.s3.errors import S3Error, invalid_argument
from gateway.s3.names import named
from gateway.s3.times import exact_time, http_time, parse_http_time, parse_iso_time

Convert = Callable[[str], Any]
WriteLine = Callable[[Any], str]
METADATA_PREFIX = "x-amz-meta-"
# In what should be URL-encoded: urllib lets a lone `%` pass, S3 does not.
BROKEN_ESCAPE = re.compile("%(?![0-9A-Fa-f]{2})")


def compile_decoder(wire_name: str, shape: Shape) -> Convert | None:
    """What makes a handler's argument of a header's or parameter's text; None where it is the text."""
    decode: Convert | None = _decoder(wire_name, shape)
    return decode if decode is None else named(decode, f"decode_{wire_name}")


def _decoder(wire_name: str, shape: Shape) -> Convert | None:
    name = wire_name.lower()
    match shape.type_name:
        case "timestamp" if name in quirks.TEXT_TIMES:
            return _override(wire_name) if name.startswith(quirks.RESPONSE_OVERRIDES) else None
        case "timestamp":
            return _time(wire_name, shape)
        case "integer" | "long":
            return _integer(wire_name)
        case "boolean":
            return _boolean(wire_name)
        case "list":
            return _list(wire_name, shape.member)
    if getattr(shape, "enum", None):
        return _enum(wire_name, frozenset(shape.enum) | quirks.MORE_OF.get(shape.name, frozenset()))
    if name.startswith(quirks.RESPONSE_OVERRIDES):
        return _override(wire_name)
    return _not_empty(wire_name, quirks.NOT_EMPTY[wire_name]) if wire_name in quirks.NOT_EMPTY else None


def _time(name: str, shape: Shape) -> Convert:
    if shape.serialization.get("timestampFormat") != "iso8601":
        # RFC 9110, 13.1.3: a recipient ignores the condition when its date is not a valid one.
        return lambda text: parse_http_time(text)

    def decode(text: str) -> int:
        moment = parse_iso_time(text)
        if moment is None:
            raise invalid_argument("The retain until date must be provided in ISO 8601 format", name, text)
        return moment

    return decode


def _integer(name: str) -> Convert:
    lowest, highest, shown, beyond = quirks.INTEGERS.get(
        name, (0, 2**63 - 1, name, quirks.NOT_AN_INTEGER.format(name=name))
    )
    unreadable = beyond if name in quirks.ONE_MESSAGE else quirks.NOT_AN_INTEGER.format(name=name)
    lenient = name in quirks.LENIENT_INTEGERS

    def decode(text: str) -> int | None:
        if text.isdecimal() and text.isascii() and len(text) < 20:
            number = int(text)
            if lowest <= number <= highest:
                return number
        elif not text:
            return None
        if lenient:
            return None
        below = text[:1] == "-" and text[1:].isdecimal() and text.isascii()
        if name in quirks.REQUEST_INTEGERS:
            wrong = "less than zero" if below else "invalid"
            raise S3Error("InvalidRequest", f"Value for {name} header is {wrong}: '{text}'")
        raise invalid_argument(beyond, shown, text) if below else invalid_argument(unreadable, name, text)

    return decode


def _boolean(name: str) -> Convert:
    def decode(text: str) -> bool | None:
        match text.lower():
            case "true":
                return True
            case "false":
                return False
            case "":
                return None
        raise invalid_argument(f"Value for {name} is invalid, it must be true or false.", name, text)

    return decode


def _enum(name: str, values: frozenset[str]) -> Convert:
    any_case = name.lower() in quirks.ANY_CASE
    may_be_empty = name.lower() in quirks.EMPTY_IS_NONE

    def decode(text: str) -> str | None:
        if any_case:
            text = text.upper()
        if not text and may_be_empty:
            return None
        if text in values:
            return text
        raise _unknown_value(name, text)

    return decode


def _list(name: str, item: Shape) -> Convert:
    values = frozenset(getattr(item, "enum", ()))

    def decode(text: str) -> list[str]:
        items = [stripped for part in text.split(",") if (stripped := part.strip())]
        if values and not values.issuperset(items):
            raise _unknown_value(name, text)
        return items

    return decode


def _unknown_value(name: str, value: str) -> S3Error:
    code, message = quirks.ENUMS.get(name, ("InvalidArgument", None))
    if message is not None:
        message = message.format(value=value)
    if code == "InvalidStorageClass":
        return S3Error(code, message, fields={"StorageClassRequested": value})
    return S3Error(code, message, fields={"ArgumentName": name, "ArgumentValue": value})


def _override(name: str) -> Convert:
    """A response-* parameter is sent back as a header: what cannot stand in one is refused, as S3 does."""

    def decode(text: str) -> str:
        if not _HEADER_VALUE(text):
            raise invalid_argument("Header value cannot be represented using ISO-8859-1.", name, text)
        return text

    return decode


_HEADER_VALUE = re.compile("[\t\x20-\x7e\x80-\xff]*").fullmatch


def _not_empty(name: str, message: str) -> Convert:
    def decode(text: str) -> str:
        if not text:
            raise invalid_argument(message, name, text)
        return text

    return decode


def decode_metadata(headers: Mapping[str, str]) -> dict[str, str]:
    """User metadata by lower-case name without the prefix, RFC 2047 words decoded, within S3's limit."""
    metadata = {
        name[len(METADATA_PREFIX) :]: _decode_words(value) if "=?" in value else value
        for name, value in headers.items()
        if name.startswith(METADATA_PREFIX)
    }
    size = sum(len(name) + len(value.encode()) for name, value in metadata.items())
    if size > quirks.METADATA_LIMIT:
        fields = {"Size": str(size), "MaxSizeAllowed": str(quirks.METADATA_LIMIT)}
        raise S3Error("MetadataTooLarge", fields=fields)
    return metadata


def _decode_words(value: str) -> str:
    try:
        return str(make_header(decode_header(value)))
    except (ValueError, LookupError, MessageError):
        return value


def metadata_lines(metadata: dict[str, str]) -> list[str]:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingMetadata.html#UserMetadata"""
    return [f"{METADATA_PREFIX}{name}: {encode_words(value)}\r\n" for name, value in metadata.items()]


def as_word(value: str) -> str:
    """What `decode_metadata` reads as this very text, also where it looks like an RFC 2047 word."""
    return encode_words(value) if "=?" not in value else _encoded_word(value, spelt=True)


def encode_words(value: str) -> str:
    """The text itself when a header can carry it, otherwise RFC 2047 words of at most 75 characters.

    As S3 writes them: the bytes are spelt out (Q) where most characters are US-ASCII, else in base64 (B).
    """
    if (value.isascii() and value.isprintable()) or not _UNFIT(value):
        return value
    spelt = 2 * len(_UNFIT(value)) < len(value)
    words: list[str] = []
    word = ""
    for character in value:
        if len(_encoded_word(word + character, spelt)) > 75:
            words.append(word)
            word = ""
        word += character
    return " ".join(_encoded_word(each, spelt) for each in (*words, word))


_UNFIT = re.compile("[^\t\x20-\x7e]").findall
_SPELT = re.compile(rb"[^\x21-\x7e]|[=?_]")


def _encoded_word(text: str, spelt: bool) -> str:
    raw = text.encode("utf-8", "replace")
    if not spelt:
        return f"=?UTF-8?B?{b64encode(raw).decode()}?="
    letters = _SPELT.sub(lambda found: b"_" if found[0] == b" " else b"=%02X" % found[0][0], raw)
    return f"=?UTF-8?Q?{letters.decode()}?="


def compile_line(name: str, shape: Shape) -> WriteLine:
    """What writes an operation's output member as the line of the header `name`."""
    if name == "etag":
        return lambda value: f'etag: "{value}"\r\n'
    match shape.type_name:
        case "timestamp":
            write = exact_time if shape.serialization.get("timestampFormat") == "iso8601" else http_time
            return lambda value: f"{name}: {value if isinstance(value, str) else write(value)}\r\n"
        case "boolean":
            return lambda value: f"{name}: {'true' if value else 'false'}\r\n"
    return lambda value: f"{name}: {value}\r\n"
