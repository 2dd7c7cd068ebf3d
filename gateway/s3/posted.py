"""PostObject, which the service model does not have: its operation, and the answer, which the form chooses.

https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode, urlsplit

from gateway.s3.rendered import Rendered, join_lines
from gateway.s3.xml import PROLOG, escape

STATUSES = {"200": 200, "201": 201}  # others are 204
_SCHEMES = ("http", "https")


def render_posted(stored: Rendered, output: dict[str, Any]) -> Rendered:
    """`stored` is the answer to a PutObject of the same; `output` has what the form asked for, and where it lies."""
    head = stored.head.replace(b"content-length: 0\r\n", b"")
    redirect = redirected(output)
    if redirect is not None:
        return Rendered(303, head + join_lines([f"location: {redirect}\r\n", "content-length: 0\r\n"]), b"")
    status = STATUSES.get(output["success_action_status"], 204)
    lines, body = [f"location: {output['location']}\r\n"], b""
    if status == 201:
        elements = {name: output[name.lower()] for name in ("Location", "Bucket", "Key")}
        elements["ETag"] = f'"{output["etag"]}"'
        content = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
        body = f"{PROLOG}<PostResponse>{content}</PostResponse>".encode()
        lines.append("content-type: application/xml\r\n")
    if status != 204:
        lines.append(f"content-length: {len(body)}\r\n")
    return Rendered(status, head + join_lines(lines), body)


def redirected(output: dict[str, Any]) -> str | None:
    """Where to, with what was stored in the query; None where the form names no address that can be read as one."""
    given: str = output["success_action_redirect"]
    try:
        parts = urlsplit(given)
    except ValueError:
        return None
    if parts.scheme not in _SCHEMES or not parts.netloc or not (given.isascii() and given.isprintable()):
        return None
    told = urlencode({"bucket": output["bucket"], "key": output["key"], "etag": f'"{output["etag"]}"'})
    bare, hash_mark, fragment = given.partition("#")
    return f"{bare}{'&' if parts.query else '?'}{told}{hash_mark}{fragment}"
