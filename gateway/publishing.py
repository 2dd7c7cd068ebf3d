"""Files put into a bucket one after another by a command: in the order given, so that what names others comes last."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from catalog import SMALL_BODY, Catalog
from catalog.errors import CatalogError
from catalog.records import Bucket, Checksum, Origin, Piece, Version
from gateway.access import ROOT_ID
from gateway.blobs import Blobs, Digests, Keyring, digest
from gateway.operations.checksums import DEFAULT, encode
from gateway.operations.encryption import default_sealing

ORIGIN = Origin(requester=ROOT_ID)
TYPES = {
    ".json": "application/json",
    ".log": "text/plain",
    ".txt": "text/plain",
    ".parquet": "application/vnd.apache.parquet",
}
_BLOCK = 1 << 20


class NotEmpty(Exception):
    """There are objects already where only new ones should be."""


async def publish(
    data: Path,
    bucket: str,
    prefix: str,
    folder: Path,
    names: Sequence[str],
    alone: bool = False,
    keys: Keyring | None = None,
) -> None:
    """The files of these names below `folder`, under keys that begin with `prefix`, as the bucket's owner's.

    A server may run on the data folder. Raises NoBucket, StorageFull, OSError; NotEmpty, where they are to be `alone`
    under the prefix and are not.
    """
    catalog = Catalog.open(data)
    try:
        blobs = Blobs(data, keys=keys)
        try:
            if alone and catalog.list_objects(catalog.bucket(bucket), prefix, limit=1).rows:
                raise NotEmpty
            for name in names:
                await put(catalog, blobs, catalog.bucket(bucket), prefix + name, folder / name)
        finally:
            blobs.close()
    finally:
        await catalog.close()


async def put(
    catalog: Catalog,
    blobs: Blobs,
    bucket: Bucket,
    key: str,
    path: Path,
    origin: Origin = ORIGIN,
    owner: str = "",
    acl: str | None = None,
) -> None:
    """One file, the bucket's owner's if not another's; `acl` is as a version keeps it. Raises CatalogError, OSError."""
    content, sealing = _small(path), default_sealing(bucket)
    about = partial(_draft, owner or bucket.owner, acl, path)
    if content is not None:
        digests = {name: digest(name, content) for name in ("MD5", DEFAULT)}
        draft = about(len(content), digests)
        if sealing is not None:
            content, encryption = sealing.seal(blobs.keys, content)
            draft = replace(draft, encryption=encryption)
        await catalog.put(origin, bucket, key, draft, content)
        return
    body_key, sealed = sealing.new_key(blobs.keys) if sealing is not None else (None, None)
    async with blobs.new(Digests({"MD5", DEFAULT}), body_key) as blob:
        with path.open("rb") as file:
            while block := file.read(_BLOCK):
                await blob.write(block)
        blob_id, size, digests = await blob.finish()
    try:
        draft = about(size, digests, Piece(size, blob=blob_id))
        await catalog.put(origin, bucket, key, replace(draft, encryption=sealed))
    except CatalogError:
        await blobs.drop([blob_id])
        raise


def _small(path: Path) -> bytes | None:
    return path.read_bytes() if path.stat().st_size <= SMALL_BODY else None


def _draft(
    owner: str, acl: str | None, path: Path, size: int, digests: dict[str, bytes], piece: Piece | None = None
) -> Version:
    return Version(
        0,
        "",
        0,
        digests["MD5"].hex(),
        size,
        "STANDARD",
        owner,
        Checksum(DEFAULT, encode(digests[DEFAULT])),
        body=piece,
        content_type=TYPES.get(path.suffix, "binary/octet-stream"),
        acl=acl,
    )
