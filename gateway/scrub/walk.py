"""Everything that the key index names, bucket by bucket and in order of key, beside a server that goes on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from catalog import Catalog
from catalog.errors import BadVersionId, IsDeleteMarker, NoBucket, NoObject, NoUpload, NoVersion
from catalog.records import Bucket, Part, Upload, Version
from catalog.rows import ListedVersion

GONE = (NoObject, NoVersion, IsDeleteMarker, BadVersionId, FileNotFoundError)


def buckets(catalog: Catalog, only: str = "") -> Iterator[Bucket]:
    """All, in order of name, or that one. Raises NoBucket."""
    if only:
        yield catalog.bucket(only)
        return
    after = ""
    while page := catalog.buckets(None, after=after):
        yield from page
        after = page[-1].name


def listed(catalog: Catalog, bucket: Bucket, after_key: str = "", prefix: str = "") -> Iterator[ListedVersion]:
    """Versions and delete markers behind a key."""
    after_version = ""
    while True:
        page = catalog.list_versions(bucket, prefix, after_key=after_key, after_version=after_version)
        yield from page.items
        if not page.truncated:
            return
        after_key, after_version = page.next_key, page.next_version


CHUNK = 32_768  # versions that the database is asked for at once


class Chunk(NamedTuple):
    """All versions of keys behind `after` and up to `until`; None: up to the end."""

    items: list[ListedVersion]
    after: str
    until: str | None


def chunks(catalog: Catalog, bucket: Bucket, after: str, most: int = CHUNK) -> Iterator[Chunk]:
    """Of about `most` versions each: a key is in one with all of its versions."""
    items: list[ListedVersion] = []
    for item in listed(catalog, bucket, after):
        if len(items) >= most and item.key != items[-1].key:
            until = items[-1].key
            yield Chunk(items, after, until)
            items, after = [], until
        items.append(item)
    yield Chunk(items, after, None)


def version_of(catalog: Catalog, bucket: Bucket, item: ListedVersion) -> Version | None:
    """The version with all its parts, None if it is gone."""
    try:
        version = catalog.whole(catalog.get(bucket, item.key, item.version_id))
    except GONE:
        return None
    return version if version.seq == item.seq else None


def uploads(catalog: Catalog, bucket: Bucket) -> Iterator[tuple[Upload, list[Part]]]:
    after_key = after_upload = ""
    while True:
        page = catalog.list_uploads(bucket, after_key=after_key, after_upload=after_upload)
        for upload in page.items:
            try:
                yield upload, catalog.parts(bucket, upload.key, upload.upload_id)
            except NoUpload:
                continue
        if not page.truncated:
            return
        after_key, after_upload = page.next_key, page.next_upload


def is_there(catalog: Catalog, bucket: Bucket) -> bool:
    try:
        return catalog.bucket(bucket.name).id == bucket.id
    except NoBucket:
        return False
