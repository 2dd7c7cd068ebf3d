"""S3's errors: how one is raised, what the facts from below become, and how one is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from catalog import errors as catalog_facts
from gateway.blobs import errors as blob_facts
from gateway.s3 import quirks
from gateway.s3.codes import CODES
from gateway.s3.rendered import Rendered, join_lines
from gateway.s3.times import http_time
from gateway.s3.xml import PROLOG, escape


class S3Error(Exception):
    """What is answered in the place of an output: `fields` are extra elements, `headers` go with it."""

    def __init__(
        self,
        code: str,
        message: str | None = None,
        *,
        status: int | None = None,
        fields: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code, message)
        standard_status, standard_message = CODES[code]
        self.code = code
        self.message = standard_message if message is None else message
        self.status = standard_status if status is None else status
        self.fields = fields or {}
        self.headers = headers or {}


def invalid_argument(message: str, name: str, value: str) -> S3Error:
    return S3Error("InvalidArgument", message, fields={"ArgumentName": name, "ArgumentValue": value})


def from_fact(fact: Exception) -> S3Error:
    """The S3 error for a fact from below; what nobody mapped is an InternalError that shows nothing."""
    if isinstance(fact, S3Error):
        return fact
    translate = _FACTS.get(type(fact))
    return S3Error("InternalError") if translate is None else translate(fact)


def render_error(error: S3Error, resource: str, request_id: str, host_id: str, head: bool = False) -> Rendered:
    """The error document; a HEAD and a 304 have the status and the headers only."""
    lines = [
        f"{name.lower()}: {value.encode('latin-1', 'replace').decode('latin-1')}\r\n"
        for name, value in error.headers.items()
    ]
    if error.status == 304:
        return Rendered(304, join_lines(lines), b"")
    lines.append("content-type: application/xml\r\n")
    if head:
        lines.append(f"{quirks.CODE_HEADER}: {error.code}\r\n")
        return Rendered(error.status, join_lines(lines), b"")
    elements = {
        "Code": error.code,
        "Message": error.message,
        **error.fields,
        "Resource": resource,
        "RequestId": request_id,
        "HostId": host_id,
    }
    content = "".join(f"<{name}>{escape(value)}</{name}>" for name, value in elements.items())
    body = f"{PROLOG}<Error>{content}</Error>".encode()
    lines.append(f"content-length: {len(body)}\r\n")
    return Rendered(error.status, join_lines(lines), body)


def _no_object(fact: catalog_facts.NoObject) -> S3Error:
    headers = {}
    if fact.delete_marker is not None:
        headers = {"x-amz-delete-marker": "true", "x-amz-version-id": fact.delete_marker}
    return S3Error("NoSuchKey", fields={"Key": fact.key}, headers=headers)


def _is_delete_marker(fact: catalog_facts.IsDeleteMarker) -> S3Error:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/DeleteMarker.html"""
    headers = {
        "allow": "DELETE",
        "last-modified": http_time(fact.modified),
        "x-amz-delete-marker": "true",
        "x-amz-version-id": fact.version_id,
    }
    fields = {"Method": "GET", "ResourceType": "DeleteMarker"}  # a HEAD meets one too, but shows no fields
    return S3Error("MethodNotAllowed", fields=fields, headers=headers)


def _not_empty(fact: catalog_facts.BucketNotEmpty) -> S3Error:
    message = "The bucket you tried to delete is not empty"
    if fact.versioned:
        message += ". You must delete all versions in the bucket."
    return S3Error("BucketNotEmpty", message, fields={"BucketName": fact.bucket})


def _lock_needs_versioning(fact: catalog_facts.LockNeedsVersioning) -> S3Error:
    if fact.locked:
        message = "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
    else:
        message = "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
    return S3Error("InvalidBucketState", message, fields={"BucketName": fact.bucket})


def _bucket(code: str) -> Callable[[Any], S3Error]:
    return lambda fact: S3Error(code, fields={"BucketName": fact.bucket})


_FACTS: dict[type[Exception], Callable[[Any], S3Error]] = {
    catalog_facts.NoBucket: _bucket("NoSuchBucket"),
    catalog_facts.BucketExists: _bucket("BucketAlreadyExists"),
    catalog_facts.BucketNotEmpty: _not_empty,
    catalog_facts.BucketChanged: _bucket("OperationAborted"),
    catalog_facts.NoObject: _no_object,
    catalog_facts.NoVersion: lambda fact: S3Error(
        "NoSuchVersion", fields={"Key": fact.key, "VersionId": fact.version_id}
    ),
    catalog_facts.IsDeleteMarker: _is_delete_marker,
    catalog_facts.BadVersionId: lambda fact: invalid_argument(
        "Invalid version id specified", "versionId", fact.version_id
    ),
    catalog_facts.LockNeedsVersioning: _lock_needs_versioning,
    catalog_facts.ObjectLocked: lambda fact: S3Error(
        "AccessDenied", "Access Denied because object protected by object lock."
    ),
    catalog_facts.SourceChanged: lambda fact: S3Error("OperationAborted", fields={"Key": fact.key}),
    catalog_facts.NoUpload: lambda fact: S3Error("NoSuchUpload", fields={"UploadId": fact.upload_id}),
    catalog_facts.PreconditionFailed: lambda fact: S3Error("PreconditionFailed", fields={"Condition": fact.condition}),
    # 507, not 503: SDKs try a 503 again and again, and no retry makes room on the disk.
    catalog_facts.StorageFull: lambda fact: S3Error("InsufficientStorage"),
    catalog_facts.DatabaseBehind: lambda fact: S3Error("SlowDown"),
    catalog_facts.TooManyWaiting: lambda fact: S3Error("SlowDown"),
    blob_facts.NoRoom: lambda fact: S3Error("InsufficientStorage"),
    catalog_facts.QueryRefused: lambda fact: S3Error("InvalidRequest", fact.why),
    catalog_facts.QueryFailed: lambda fact: S3Error("InvalidRequest", fact.why),
    catalog_facts.QueryStopped: lambda fact: S3Error("InvalidRequest", fact.why),
    catalog_facts.CatalogUnusable: lambda fact: S3Error("ServiceUnavailable"),
}
