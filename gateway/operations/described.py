"""What a request says of the object it makes, beside its bytes; and how an answer says it again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from catalog.records import NULL_VERSION, Bucket
from gateway.operations.tagging import tags_of_header
from gateway.s3.errors import S3Error

DEFAULT_TYPE = "binary/octet-stream"
STANDARD = "STANDARD"
REDIRECT = "website_redirect_location"

# The members that are kept as they came, and the headers they are kept under.
KEPT = {
    "cache_control": "cache-control",
    "content_disposition": "content-disposition",
    "content_encoding": "content-encoding",
    "content_language": "content-language",
    "expires": "expires",
    REDIRECT: "x-amz-website-redirect-location",
}

# Of the classes the model knows, those a general purpose bucket has.
# https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html
STORAGE_CLASSES = frozenset(
    {
        STANDARD,
        "DEEP_ARCHIVE",
        "GLACIER",
        "GLACIER_IR",
        "INTELLIGENT_TIERING",
        "ONEZONE_IA",
        "REDUCED_REDUNDANCY",
        "STANDARD_IA",
    }
)


@dataclass(slots=True)
class Description:
    content_type: str = DEFAULT_TYPE
    headers: dict[str, str] | None = None
    metadata: dict[str, str] | None = None
    storage_class: str = STANDARD
    tags: dict[str, str] | None = None


def describe(
    content_type: str | None,
    kept: dict[str, str | None],
    metadata: dict[str, str] | None,
    storage_class: str | None,
    tagging: str | None,
) -> Description:
    """`kept` has the members of KEPT. Raises for a storage class that there is not."""
    headers = {KEPT[member]: value for member, value in kept.items() if value}
    if headers:
        _check_redirect(headers.get(KEPT[REDIRECT]))
    return Description(
        content_type or DEFAULT_TYPE,
        headers or None,
        metadata or None,
        read_storage_class(storage_class),
        tags_of_header(tagging) if tagging else None,
    )


def read_storage_class(given: str | None) -> str:
    if given is None or given == STANDARD:
        return STANDARD
    if given not in STORAGE_CLASSES:
        raise S3Error("InvalidStorageClass", fields={"StorageClassRequested": given})
    return given


def shown_headers(headers: dict[str, str]) -> dict[str, Any]:
    return {member: headers[name] for member, name in KEPT.items() if name in headers}


def shown_class(storage_class: str) -> str | None:
    """Headers name every storage class but STANDARD."""
    return storage_class if storage_class != STANDARD else None


def shown_version(bucket: Bucket, version_id: str) -> str | None:
    """A bucket that never had versioning does not speak of version ids."""
    return version_id if bucket.versioning else None


def named_version(version_id: str) -> str | None:
    """None for a null version: in answers to writes S3 names those only that a copy made, and as a source none."""
    return version_id if version_id != NULL_VERSION else None


def _check_redirect(location: str | None) -> None:
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/how-to-page-redirect.html"""
    if location is not None and not location.startswith(("/", "http://", "https://")):
        raise S3Error("InvalidRedirectLocation")
