"""What a line of an access log is made of, noted for requests to buckets that have one: in a file of this worker's."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from catalog.errors import CatalogError
from catalog.records import Bucket, User
from catalog.requests import LOGGED, Incoming
from gateway.access.acl import acls_on
from gateway.access.deciding import needed_acl
from gateway.access_logs.configuration import SETTING
from gateway.access_logs.line import Entry, Log
from gateway.access_logs.names import BATCH_DELETE, COPIES, name_of
from gateway.operations import Context
from gateway.operations.sources import read_header
from gateway.recording import Batches
from gateway.request import TLS, Request
from gateway.s3.errors import S3Error
from gateway.s3.rendered import Rendered

if TYPE_CHECKING:
    from catalog import Catalog
    from gateway.s3.model import Operation

LONG = 2048  # characters that are kept of a text which may have any length
RANGE, LENGTH = b"content-range: bytes ", b"content-length: "
KEY = "server-side-encryption-customer-key"
PARTIAL = 206
READS = frozenset({"GetObject", "HeadObject"})
WRITES = frozenset({"PutObject", "UploadPart"})
MADE = frozenset({"CompleteMultipartUpload", "CopyObject", "PostObject"})
name_of_operation = lru_cache(maxsize=512)(name_of)


class Answered(NamedTuple):
    """A request that has its answer; `given` and `output` as far as it came. Times are readings of perf_counter."""

    scope: Mapping[str, Any]
    request: Request
    operation: Operation | None
    caller: User
    context: Context | None
    given: dict[str, Any] | None
    output: dict[str, Any] | None
    answer: Rendered
    error: str
    sent: int
    started: float
    ready: float


class AccessLog:
    def __init__(self, data: Path, catalog: Catalog) -> None:
        self._catalog = catalog
        self._batches = Batches(Incoming(data, LOGGED), "%s requests in all are in no access log: %s")

    def add(self, answered: Answered) -> None:
        """Nothing, unless a bucket that it concerns has a log."""
        bucket = self._bucket(answered)
        log = log_of(bucket)
        name = answered.operation.name if answered.operation is not None else ""
        source = source_of(answered) if name in COPIES else None
        source_log = log_of(source[0]) if source is not None else None
        if log is None and source_log is None:
            return
        batches = self._batches
        if not batches.rows:
            batches.begin()
        if log is not None and bucket is not None:
            acl_required = acls_on(bucket) and by_acl(answered, bucket)
            entry = entry_of(answered, log, batches.epoch, self._size(answered, name), acl_required)
            batches.rows.append(entry)
            if name == "DeleteObjects":
                batches.rows += batch_of(answered, entry)
        if source_log is not None and source is not None:
            entry = entry_of(answered, source_log, batches.epoch)
            batches.rows.append(self._read(entry, *source))
        if len(batches.rows) >= batches.enough:
            batches.hand_over()

    def close(self) -> None:
        self._batches.close()

    def _bucket(self, answered: Answered) -> Bucket | None:
        """As it was when the caller was let in; or as it is, where the caller was not."""
        context, name = answered.context, answered.request.bucket
        if context is not None or name is None:
            return context.bucket if context is not None else None
        try:
            return self._catalog.bucket(name)
        except CatalogError:
            return None

    def _size(self, answered: Answered, name: str) -> int | None:
        """Of the object, or of the part, where the request came to something."""
        request, context = answered.request, answered.context
        if answered.answer.status >= 300 or context is None:
            return None
        if name in READS:
            return size_said(answered.answer)
        if name in WRITES:
            decoded = request.headers.get("x-amz-decoded-content-length", "")
            return int(decoded) if decoded.isdecimal() else request.content_length
        if name not in MADE or request.key is None:
            return None
        output = answered.output or {}
        return self._stored(context.here, request.key, output.get("stored", output).get("version_id"))

    def _stored(self, bucket: Bucket, key: str, version_id: str | None) -> int | None:
        try:
            return self._catalog.get(bucket, key, version_id).size
        except CatalogError:
            return None

    def _read(self, entry: Entry, bucket: Bucket, key: str, version_id: str | None) -> Entry:
        """The reading of a copy's source."""
        size = self._stored(bucket, key, version_id) if entry.status < 300 else None
        name = f"{entry.operation}_GET"
        return entry._replace(operation=name, key=key, version_id=version_id, sent=0, size=size)


def concerned(request: Request, context: Context | None) -> bool:
    """Whether a bucket that the request names has a log, or may have: of who was refused it was not looked up."""
    if context is None:
        return request.bucket is not None
    return is_logged(context.bucket) or is_logged(context.reached)


def is_logged(bucket: Bucket | None) -> bool:
    return bucket is not None and bucket.settings is not None and SETTING in bucket.settings


def size_said(answer: Rendered) -> int | None:
    """Of the whole object, by the answer's head."""
    head, name = answer.head, RANGE if answer.status == PARTIAL else LENGTH
    begin = head.find(name) + len(name)
    said = head[begin : head.find(b"\r", begin)].rpartition(b"/")[2] if begin >= len(name) else b""
    return int(said) if said.isdigit() else None


def entry_of(answered: Answered, log: Log, epoch: float, size: int | None = None, acl_required: bool = False) -> Entry:
    """`epoch` is of perf_counter."""
    request, headers, operation = answered.request, answered.request.headers, answered.operation
    scope, ended = answered.scope, time.perf_counter()
    tls = scope.get("extensions", {}).get(TLS, {})
    query = f"?{without_secrets(request.raw_query.decode('latin-1'))}" if request.raw_query else ""
    uri = f"{request.method} {request.raw_path.decode('latin-1')}{query} HTTP/{scope.get('http_version', '1.1')}"
    signature, authentication = signed_by(request)
    return Entry(
        log,
        epoch + answered.started,
        request.client_ip,
        answered.caller.id,
        request.request_id,
        name_of_operation(operation.name if operation is not None else None, request.method, request.key is None),
        request.key,
        uri,
        answered.answer.status,
        answered.error,
        answered.sent,
        size,
        (ended - answered.started) * 1000,
        (answered.ready - answered.started) * 1000,
        headers.get("referer", "")[:LONG] or None,
        headers.get("user-agent", "")[:LONG] or None,
        request.query.get("versionId", "")[:LONG] or None,
        request.host_id,
        signature,
        tls.get("cipher", ""),
        authentication,
        headers.get("host", "")[:LONG],
        tls.get("version", ""),
        acl_required,
    )


def log_of(bucket: Bucket | None) -> Log | None:
    if bucket is None or bucket.settings is None or SETTING not in bucket.settings:
        return None
    return Log(bucket.name, bucket.owner, bucket.region, bucket.settings[SETTING])


def source_of(answered: Answered) -> tuple[Bucket, str, str | None] | None:
    """The bucket, the key and the version that a copy reads, if it came to that."""
    if answered.context is None or answered.context.reached is None:
        return None
    _, key, version_id = read_header(answered.request.headers["x-amz-copy-source"])
    return answered.context.reached, key, version_id


def batch_of(answered: Answered, entry: Entry) -> Iterator[Entry]:
    """A line for each key that DeleteObjects was to delete, if it came to that."""
    if answered.given is None or answered.output is None:
        return
    failed = {(each["key"], each["version_id"]): each["code"] for each in answered.output["errors"]}
    for each in answered.given["delete"]["objects"]:
        version_id = each.get("version_id") or None
        code = failed.get((each["key"], version_id), "")
        yield entry._replace(
            operation=BATCH_DELETE,
            key=each["key"],
            uri=None,
            status=S3Error(code).status if code else 204,
            error=code,
            sent=0,
            total_time=None,
            turn_around_time=None,
            referer=None,
            user_agent=None,
            version_id=version_id,
        )


def by_acl(answered: Answered, bucket: Bucket) -> bool:
    context, operation = answered.context, answered.operation
    if context is None or operation is None or answered.answer.status in (401, 403):
        return False
    request = answered.request
    return needed_acl(operation.name, context.ask(bucket, request.key, request.query.get("versionId")))


def without_secrets(query: str) -> str:
    """As it was sent, but for keys that encrypt, which clients may put in a URL, too."""
    if KEY not in unquote(query).lower():
        return query
    parts = (part.partition("=") for part in query.split("&"))
    return "&".join(
        f"{name}=-" if unquote(name).lower().endswith(KEY) else name + is_ + value for name, is_, value in parts
    )


def signed_by(request: Request) -> tuple[str, str]:
    """The version of the signature, and where it stood."""
    authorization = request.headers.get("authorization")
    if authorization:
        return ("SigV2" if authorization.startswith("AWS ") else "SigV4"), "AuthHeader"
    if request.form is not None:
        fields = request.form.fields
        return "SigV4" if "x-amz-signature" in fields else "SigV2" if "signature" in fields else "", ""
    if "X-Amz-Signature" in request.query:
        return "SigV4", "QueryString"
    return ("SigV2", "QueryString") if "Signature" in request.query else ("", "")
