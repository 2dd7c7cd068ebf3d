"""A browser's form: fields of text, then the file, as multipart/form-data.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from gateway.body import MAX_UPLOAD_SIZE, ClientDisconnect
from gateway.request import Receive, Request, check_length
from gateway.s3.errors import S3Error, invalid_argument
from gateway.s3.values import METADATA_PREFIX, as_word

if TYPE_CHECKING:
    from python_multipart.multipart import MultipartCallbacks

MAX_FIELDS = 20 * 1024  # bytes before the file, boundaries among them
FILE_NAME = "${filename}"
# The fields that stand for headers of a PutObject, beside those that begin with x-amz-, and what is of the form alone.
_HEADERS = {
    **{name: name for name in ("cache-control", "content-disposition", "content-encoding", "content-language")},
    **{name: name for name in ("content-md5", "content-type", "expires")},
    "acl": "x-amz-acl",
}
_FORMS_OWN = frozenset({"x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token"})
_HEADER_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9a-z]+").fullmatch
_NO_HEADER = re.compile("[\0-\x1f\x7f]").search
_BEYOND_LATIN_1 = re.compile("[^\0-\xff]")
_FRAME = len("\r\n--\r\n")  # what each part has beside the boundary and its headers

logging.getLogger("python_multipart").setLevel(logging.ERROR)  # what a client sends amiss, it is told

Piece = bytes | memoryview


@dataclass(slots=True)
class Form:
    """`fields` by lower-case name, but for the file; of several with one name the values are joined by commas.

    `sent` has the names as they came.
    """

    file: File
    fields: dict[str, str]
    sent: dict[str, str]


def is_form(request: Request) -> bool:
    """Of a POST to a bucket."""
    content_type = request.headers.get("content-type", "")
    return request.bucket is not None and content_type[:19].lower() == "multipart/form-data" and not request.query


async def open_form(request: Request) -> Form:
    """Read as far as the file begins. Raises MalformedPOSTRequest, and InvalidArgument where there is no file."""
    _, options = parse_options_header(request.headers["content-type"])
    boundary = options.get(b"boundary")
    if not boundary:
        raise S3Error("MalformedPOSTRequest")
    request.body = file = File(request.receive, boundary)
    while not file.began:
        if file.exhausted:
            raise invalid_argument("POST requires exactly one file upload per request.", "file", "0")
        await file.feed()
    form = Form(file, {}, {})
    for name, value in file.fields:
        try:
            sent, text = name.decode(), value.decode()
        except UnicodeDecodeError:
            raise S3Error("MalformedPOSTRequest") from None
        if file.name is not None:
            text = text.replace(FILE_NAME, file.name)
        known = form.fields.get(sent.lower())
        form.fields[sent.lower()] = text if known is None else f"{known},{text}"
        form.sent.setdefault(sent.lower(), sent)
    return form


def fill_in(request: Request, form: Form) -> None:
    """Let the request be what the form stands for: a key, and headers of a PutObject. Raises KeyTooLongError."""
    key = form.fields["key"]
    check_length(key)
    headers = {name: value for name, value in request.headers.items() if name not in ("content-type", "content-length")}
    for name, value in form.fields.items():
        header = _HEADERS.get(name) or (name if name.startswith("x-amz-") and name not in _FORMS_OWN else None)
        if header is None:
            continue
        if not _HEADER_NAME(header):
            raise invalid_argument(
                "A field that stands for a header has a name that no header can.", form.sent[name], value
            )
        if header.startswith(METADATA_PREFIX):
            text = as_word(value)
        elif _NO_HEADER(value):
            raise invalid_argument("A field that stands for a header holds what no header can.", form.sent[name], value)
        else:
            text = _BEYOND_LATIN_1.sub(" ", value)
        if headers.setdefault(header, text) != text:
            raise S3Error("InvalidRequest", "Conflicting values provided in HTTP headers and POST form fields.")
    request.headers = headers
    request.key = key


class File:
    """The file of a form, to be read as `gateway.body.Body` is. What follows it in the form is passed over.

    `length` is that of what is known of it: of all where `know_length` has met the end. Raises MalformedPOSTRequest
    where the form breaks off, and what `limit` asks for.
    """

    __slots__ = (
        "_ended",
        "_frame",
        "_header",
        "_headers",
        "_least",
        "_most",
        "_parser",
        "_pieces",
        "_receive",
        "_received",
        "_room",
        "_text",
        "began",
        "begun",
        "exhausted",
        "fields",
        "length",
        "name",
        "trailers",
    )

    def __init__(self, receive: Receive, boundary: bytes) -> None:
        self.length = 0
        self.trailers: dict[str, str] = {}
        self.fields: list[tuple[bytes, bytes]] = []
        self.name: str | None = None  # that the client gave it, without folders
        self.began = self.begun = self.exhausted = False
        self._ended = False
        self._least, self._most = 0, MAX_UPLOAD_SIZE
        self._receive = receive
        self._pieces: list[Piece] = []
        self._received = 0
        self._frame = len(boundary) + _FRAME
        self._room = MAX_FIELDS
        self._headers: dict[bytes, bytes] = {}
        self._header = self._text = b""
        try:
            self._parser = MultipartParser(boundary, self._callbacks())
        except FormParserError:
            raise S3Error("MalformedPOSTRequest") from None

    def limit(self, least: int, most: int) -> None:
        """Let its size be within these, in bytes, or EntityTooSmall or EntityTooLarge be raised by who reads it."""
        self._least, self._most = least, min(most, MAX_UPLOAD_SIZE)

    async def feed(self) -> None:
        """Takes the next bytes of the form, as they come."""
        self.begun = True
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self.exhausted = not message.get("more_body", False)
        try:
            self._parser.write(message.get("body", b""))
        except FormParserError:
            if not self._ended:
                raise S3Error("MalformedPOSTRequest") from None

    async def know_length(self, most: int) -> None:
        """Read ahead until more than so many bytes are there, or the end."""
        while not self._ended and self._received <= most:
            await self._go_on()
        self.length = self._received

    async def __aiter__(self) -> AsyncIterator[Piece]:
        while self._pieces or not self._ended:
            if self._received > self._most:
                sizes = {"ProposedSize": str(self._received), "MaxSizeAllowed": str(self._most)}
                raise S3Error("EntityTooLarge", fields=sizes)
            pieces, self._pieces = self._pieces, []
            for piece in pieces:
                yield piece
            if not self._ended:
                await self._go_on()
        if self._received < self._least:
            sizes = {"ProposedSize": str(self._received), "MinSizeAllowed": str(self._least)}
            raise S3Error("EntityTooSmall", fields=sizes)

    async def read(self, limit: int) -> bytes:
        """All of it: it is known to be no longer than that."""
        return b"".join([piece async for piece in self])

    def defer_sha256(self) -> bool:
        """No digest of it was announced."""
        return False

    async def _go_on(self) -> None:
        if self.exhausted:
            raise S3Error("MalformedPOSTRequest")
        await self.feed()

    def _callbacks(self) -> MultipartCallbacks:
        return {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_goes_on,
            "on_header_value": self._value_goes_on,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._content_begins,
            "on_part_data": self._content_goes_on,
            "on_part_end": self._part_ends,
        }

    def _part_begins(self) -> None:
        self._headers.clear()
        self._take(self._frame)

    def _header_goes_on(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]
        self._take(end - start)

    def _value_goes_on(self, data: bytes, start: int, end: int) -> None:
        self._text += data[start:end]
        self._take(end - start)

    def _header_ends(self) -> None:
        self._headers[self._header.lower()] = self._text
        self._header = self._text = b""

    def _content_begins(self) -> None:
        if self.began:
            return
        kind, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        name = options.get(b"name", b"")
        if kind != b"form-data":
            raise S3Error("MalformedPOSTRequest")
        if name.lower() != b"file":
            self.fields.append((name, b""))
            return
        self.began = True
        if (given := options.get(b"filename")) is not None:
            self.name = re.split(r"[/\\]", given.decode("utf-8", "replace"))[-1]

    def _content_goes_on(self, data: bytes, start: int, end: int) -> None:
        if not self.began:
            name, value = self.fields[-1]
            self.fields[-1] = (name, value + data[start:end])
            self._take(end - start)
        elif not self._ended:
            self._pieces.append(memoryview(data)[start:end])
            self._received += end - start

    def _part_ends(self) -> None:
        self._ended = self.began

    def _take(self, size: int) -> None:
        self._room -= size
        if self._room < 0 and not self.began:
            raise S3Error("MaxPostPreDataLengthExceeded", fields={"MaxPostPreDataLengthBytes": str(MAX_FIELDS)})
