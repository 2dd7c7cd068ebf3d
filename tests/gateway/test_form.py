from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.body import ClientDisconnect
from gateway.form import MAX_FIELDS, Form, fill_in, is_form, open_form
from gateway.request import Request
from gateway.s3.errors import S3Error
from gateway.s3.values import decode_metadata
from tests.gateway.conftest import request

BOUNDARY = "x-boundary"


def body_of(fields: list[tuple[str, str]], file: bytes | None = b"content", name: str | None = "f.txt") -> bytes:
    parts = [f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{at}"\r\n\r\n{text}\r\n' for at, text in fields]
    sent = "".join(parts).encode()
    if file is not None:
        shown = f'; filename="{name}"' if name is not None else ""
        head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"{shown}\r\nContent-Type: text/html\r\n\r\n'
        sent += head.encode() + file + b"\r\n"
    return sent + f"--{BOUNDARY}--\r\n".encode()


def posted(*pieces: bytes, content_type: str = f"multipart/form-data; boundary={BOUNDARY}") -> Request:
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": piece, "more_body": True} for piece in pieces]
    messages[-1]["more_body"] = False
    waiting = iter(messages)

    async def receive() -> dict[str, Any]:
        return next(waiting, {"type": "http.disconnect"})

    made = request("POST", "/b")
    made.receive = receive
    made.headers = {"content-type": content_type}
    return made


async def read(asked: Request) -> tuple[Form, bytes]:
    form = await open_form(asked)
    return form, await form.file.read(0)


async def test_fields_then_the_file() -> None:
    sent = body_of([("key", "k"), ("X-Amz-Meta-A", "ä"), ("x-amz-meta-a", "b"), ("empty", "")])
    form, content = await read(posted(sent))
    assert form.fields == {"key": "k", "x-amz-meta-a": "ä,b", "empty": ""}
    assert form.sent["x-amz-meta-a"] == "X-Amz-Meta-A"
    assert content == b"content"


async def test_however_it_is_cut() -> None:
    content = b"\r\n--x-bound\r\n--\r\r\n" * 3
    sent = body_of([("key", "some key")], content)
    for size in (1, 2, 3, 7, 50):
        pieces = [sent[at : at + size] for at in range(0, len(sent), size)]
        form, found = await read(posted(*pieces))
        assert (form.fields, found) == ({"key": "some key"}, content)


async def test_what_follows_the_file_is_passed_over() -> None:
    sent = body_of([("key", "k")]).replace(b"--x-boundary--\r\n", b"") + body_of([("late", "x")], b"another")
    form, content = await read(posted(sent))
    assert (form.fields, content) == ({"key": "k"}, b"content")
    form, content = await read(posted(body_of([("key", "k")])[:-18] + b"\r\n--x-boundary\r\nno header at all"))
    assert content == b"content"


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("f.txt", "a/f.txt"),
        ("C:\\dir\\f.txt", "a/f.txt"),
        ("/dir/f.txt", "a/f.txt"),
        ("", "a/"),
        (None, "a/${filename}"),
    ],
)
async def test_the_name_of_the_file(name: str | None, key: str) -> None:
    form, _ = await read(posted(body_of([("key", "a/${filename}")], name=name)))
    assert form.fields["key"] == key


async def test_its_length_is_known_where_the_end_is_near() -> None:
    form = await open_form(posted(body_of([("key", "k")], bytes(100))))
    await form.file.know_length(100)
    assert form.file.length == 100
    sent = body_of([("key", "k")], bytes(10_000))
    form = await open_form(posted(*(sent[at : at + 500] for at in range(0, len(sent), 500))))
    await form.file.know_length(100)
    assert 100 < form.file.length < 10_000
    assert await form.file.read(0) == bytes(10_000)


@pytest.mark.parametrize(("size", "code"), [(4, "EntityTooSmall"), (5, None), (10, None), (11, "EntityTooLarge")])
async def test_its_size_is_held_to_limits(size: int, code: str | None) -> None:
    form = await open_form(posted(body_of([("key", "k")], bytes(size))))
    form.file.limit(5, 10)
    if code is None:
        assert len(await form.file.read(0)) == size
        return
    with pytest.raises(S3Error) as refused:
        await form.file.read(0)
    assert (refused.value.code, refused.value.fields["ProposedSize"]) == (code, str(size))


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (body_of([("key", "k")], None), "InvalidArgument"),
        (b"", "InvalidArgument"),
        (b"no form", "MalformedPOSTRequest"),
        (b"--x-boundary\r\nContent-Disposition: attachment; name=file\r\n\r\nx", "MalformedPOSTRequest"),
        (b"--x-boundary\r\nno name\r\n\r\nx", "MalformedPOSTRequest"),
        (body_of([("key", "k")])[:-19], "MalformedPOSTRequest"),
        (body_of([("key", "k" * MAX_FIELDS)]), "MaxPostPreDataLengthExceeded"),
        (body_of([("a", "b")] * 500), "MaxPostPreDataLengthExceeded"),
        (body_of([("key", "k")]).replace(b"k\r\n", b"\xff\r\n"), "MalformedPOSTRequest"),
    ],
)
async def test_what_is_no_form(sent: bytes, code: str) -> None:
    with pytest.raises(S3Error) as refused:
        await read(posted(sent))
    assert refused.value.code == code


@pytest.mark.parametrize("content_type", ["multipart/form-data", f"multipart/form-data; boundary={'b' * 300}"])
async def test_without_a_boundary(content_type: str) -> None:
    with pytest.raises(S3Error) as refused:
        await open_form(posted(body_of([]), content_type=content_type))
    assert refused.value.code == "MalformedPOSTRequest"


async def test_a_client_that_goes() -> None:
    asked = posted(body_of([("key", "k")])[:-30], b"")
    asked.receive = posted(b"").receive
    await asked.receive()
    with pytest.raises(ClientDisconnect):
        await open_form(asked)


@given(st.lists(st.one_of(st.binary(max_size=40), st.sampled_from([b"\r\n--x-boundary", b"\r\n", b"--", b": "]))))
async def test_any_bytes_are_read_or_refused(pieces: list[bytes]) -> None:
    begun = body_of([("key", "k")])[:-18]
    for beginning in ([], [begun]):
        try:
            await read(posted(*beginning, *pieces, b""))
        except S3Error as refused:
            assert refused.code in ("MalformedPOSTRequest", "InvalidArgument")


def filled(**fields: str) -> Request:
    made = request("POST", "/b")
    made.headers = {"host": "h", "content-type": "multipart/form-data", "content-length": "9"}
    names = {name.replace("_", "-"): value for name, value in fields.items()}
    fill_in(made, Form(None, {"key": "k", **names}, {name: name for name in names}))  # type: ignore[arg-type]
    return made


def test_fields_stand_for_headers() -> None:
    metadata = {"x-amz-meta-a": "ä", "x-amz-meta-b": "=?UTF-8?B?YWJj?="}
    made = filled(acl="private", content_type="a/b", x_amz_date="d", other="o", expires="é—", **metadata)
    assert made.key == "k"
    assert made.headers == {
        "host": "h",
        "x-amz-acl": "private",
        "content-type": "a/b",
        "x-amz-meta-a": "=?UTF-8?B?w6Q=?=",
        "x-amz-meta-b": "=?UTF-8?Q?=3D=3FUTF-8=3FB=3FYWJj=3F=3D?=",
        "expires": "é ",
    }
    assert decode_metadata(made.headers) == {"a": "ä", "b": "=?UTF-8?B?YWJj?="}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"key": "k" * 1025}, "KeyTooLongError"),
        ({"content_disposition": "a\r\nb: c"}, "InvalidArgument"),
        ({"x-amz-meta-ä": "v"}, "InvalidArgument"),
        ({"x-amz-meta-a b": "v"}, "InvalidArgument"),
    ],
)
def test_fields_that_stand_for_no_header(fields: dict[str, str], code: str) -> None:
    with pytest.raises(S3Error) as refused:
        filled(**fields)
    assert refused.value.code == code


def test_a_header_that_says_otherwise() -> None:
    made = request("POST", "/b")
    made.headers = {"x-amz-storage-class": "STANDARD"}
    form = Form(None, {"key": "k", "x-amz-storage-class": "GLACIER"}, {})  # type: ignore[arg-type]
    with pytest.raises(S3Error) as refused:
        fill_in(made, form)
    assert refused.value.code == "InvalidRequest"


@pytest.mark.parametrize(
    ("path", "content_type", "form"),
    [
        ("/b", "multipart/form-data; boundary=x", True),
        ("/b", "Multipart/Form-Data", True),
        ("/b", "text/plain", False),
        ("/b", "", False),
        ("/", "multipart/form-data; boundary=x", False),
    ],
)
def test_what_a_form_is(path: str, content_type: str, form: bool) -> None:
    made = request("POST", path)
    made.headers = {"content-type": content_type}
    assert is_form(made) is form
