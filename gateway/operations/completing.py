"""The end of a multipart upload: its parts become one object, and none of their bytes is touched."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial
from operator import lt
from typing import Any

import msgspec

from catalog import Grouped, Uploaded
from catalog.errors import NoObject, NoUpload, SourceChanged
from catalog.records import Checksum, Part, Upload, Version
from gateway.access.acl import acls_on
from gateway.operations import Context, conditions, encryption
from gateway.operations.checksums import (
    BY_MEMBER,
    COMPOSITE,
    DEFAULT,
    FULL_OBJECT,
    HEADER,
    MEMBERS,
    bad_digest,
    etag_of_parts,
    is_value,
    read_value,
    shown,
    whole_of_parts,
)
from gateway.operations.described import named_version
from gateway.operations.expiring import expiration
from gateway.operations.ranges import MAX_PARTS
from gateway.s3.columns import Columns
from gateway.s3.errors import S3Error, invalid_argument
from gateway.s3.integrity import several
from gateway.s3.model import operation

TRIES = 5
MANY = 1000
MIN_SIZE = 5 << 20  # of every part but the last


@operation
async def complete_multipart_upload(
    cx: Context,
    bucket: str,
    key: str,
    upload_id: str,
    checksum_type: str | None = None,
    if_match: str | None = None,
    if_none_match: str | None = None,
    mpu_object_size: int | None = None,
    multipart_upload: dict[str, Any] | None = None,
    sse_customer_algorithm: str | None = None,
    sse_customer_key: str | None = None,
    sse_customer_key_md5: str | None = None,
    **checksums: str,
) -> dict[str, Any]:
    """May be repeated: the upload being gone, the object that it became is the answer.

    https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html
    """
    if multipart_upload is None:
        cx.catalog.upload(cx.here, key, upload_id)
        raise S3Error("InvalidRequest", "You must specify at least one part")
    named = multipart_upload.get("parts") or []
    check_order(named, upload_id)
    if len(checksums) > 1:
        raise several()
    customer = encryption.customer_of(cx, sse_customer_algorithm, sse_customer_key, sse_customer_key_md5)
    for _ in range(TRIES):
        try:
            upload = cx.catalog.upload(cx.here, key, upload_id)
            check = conditions.on_completion(bucket, key, if_match, if_none_match, upload.initiated)
            check_kind(upload, checksum_type)
            if customer is not None or upload.checksum_algorithm:
                encryption.of_part(upload, customer)  # S3 wants the key only where there is a checksum
            uploaded = cx.catalog.uploaded(cx.here, key, upload_id)
            make = partial(drafted, owner_of(cx, upload), upload, uploaded, named, mpu_object_size, checksums)
            draft = await asyncio.to_thread(make) if len(named) > MANY else make()
            version = await cx.catalog.put(
                cx.origin, cx.here, key, draft, check=check, upload_id=upload_id, uploaded=uploaded
            )
        except SourceChanged:
            continue  # a part was uploaded anew meanwhile
        except NoUpload:
            version = completed(cx, key, upload_id)
        return {
            "location": f"{cx.request.scheme}://{cx.request.host}{cx.request.raw_path.decode()}",
            "bucket": bucket,
            "key": key,
            "etag": version.etag,
            **shown(version.checksum, version.part_count),
            "version_id": named_version(version.version_id),
            **(expiration(cx.here, key, version) if cx.here.settings else {}),
            **encryption.shown_completed(version.encryption),
        }
    raise S3Error("OperationAborted")


def owner_of(cx: Context, upload: Upload) -> str:
    """Whoever began the upload, where the bucket goes by ACLs."""
    return upload.object_owner if upload.object_owner and acls_on(cx.here) else cx.here.owner


def drafted(
    owner: str,
    upload: Upload,
    uploaded: Uploaded,
    named: Sequence[dict[str, Any]],
    promised: int | None,
    checksums: Mapping[str, str],
) -> Version:
    """What the parts that the client names make. Takes 10 ms where they are ten thousand."""
    parts = list(uploaded.parts())
    if not are_named(upload, parts, named):
        held = {part.number: part for part in parts}
        parts = [choose(upload, held, each) for each in named]
    check_sizes(parts, promised)
    draft = whole(owner, upload, parts)
    check_promise(draft.checksum, len(parts), checksums)
    return draft


def check_order(named: Sequence[dict[str, Any]], upload_id: str) -> None:
    if not 0 < len(named) <= MAX_PARTS:
        raise S3Error("MalformedXML")
    if isinstance(named, Columns) and {"part_number", "etag"} <= named.members.keys():
        numbers = named.members["part_number"]
        if all(map(lt, [0, *numbers], numbers)):
            return
    before = 0
    for each in named:
        number = each.get("part_number")
        if number is None or each.get("etag") is None:
            raise S3Error("MalformedXML")
        if number < 1:
            raise invalid_argument("PartNumber must be >= 1", "PartNumber", str(number))
        if number <= before:
            raise S3Error("InvalidPartOrder", fields={"UploadId": upload_id})
        before = number


def check_kind(upload: Upload, kind: str | None) -> None:
    if kind is not None and kind != (upload.checksum_kind or FULL_OBJECT):
        raise S3Error(
            "InvalidRequest",
            f"The upload was created using the {upload.checksum_kind or 'null'} checksum mode. The complete request"
            " must use the same checksum mode.",
        )


def are_named(upload: Upload, parts: Sequence[Part], named: Sequence[dict[str, Any]]) -> bool:
    """Whether just these parts are named, each by what it is: as nearly always where they are many.

    All are compared at once. False says nothing: `choose` knows what is wrong, if anything is.
    """
    if not isinstance(named, Columns):
        return False
    known = {"part_number": [part.number for part in parts], "etag": [part.etag for part in parts]}
    if named.members.keys() - known.keys():
        known[MEMBERS.get(upload.checksum_algorithm, "")] = [part.checksum and part.checksum.value for part in parts]
    elif upload.checksum_kind == COMPOSITE:
        return False
    return known == named.members


def choose(upload: Upload, held: Mapping[int, Part], each: dict[str, Any]) -> Part:
    """The part that a client names by number, ETag and checksum."""
    number, etag = each["part_number"], each["etag"].strip('"')
    part = held.get(number)
    if part is None or part.etag != etag:
        raise no_part(upload, number, etag)
    sent = {BY_MEMBER[name]: value for name, value in each.items() if name in BY_MEMBER}
    if len(sent) > 1 or not all(is_value(name, value) for name, value in sent.items()):
        given = [f"{name}:{value};" for name, value in sent.items()] if len(sent) > 1 else sent.values()
        raise invalid_argument("Invalid Base64 or multiple checksums present in request", "Checksum", "".join(given))
    algorithm = upload.checksum_algorithm
    if not algorithm:
        return part  # it has a checksum, but only for the whole: the client need not know it
    if not sent:
        if upload.checksum_kind == COMPOSITE:
            raise S3Error(
                "InvalidRequest",
                f"The upload was created using a {algorithm.lower()} checksum. The complete request must include the"
                f" checksum for each part. It was missing for part {number} in the request.",
            )
        return part
    for name, value in sent.items():
        if name != algorithm:
            message = f"The {name.lower()} you specified for part {number} did not match what we received."
            raise S3Error("BadDigest", message)
        if part.checksum is None or value != part.checksum.value:
            raise no_part(upload, number, etag)
    return part


def check_sizes(parts: Sequence[Part], promised: int | None) -> None:
    for part in parts[:-1]:
        if part.size < MIN_SIZE:
            raise S3Error(
                "EntityTooSmall",
                fields={
                    "ProposedSize": str(part.size),
                    "MinSizeAllowed": str(MIN_SIZE),
                    "PartNumber": str(part.number),
                    "ETag": part.etag,
                },
            )
    size = sum(part.size for part in parts)
    if promised is not None and promised != size:
        raise S3Error(
            "InvalidRequest",
            f"The provided 'x-amz-mp-object-size' header value {promised} does not match what was computed: {size}",
        )


def whole(owner: str, upload: Upload, parts: list[Part]) -> Version:
    """The parts keep their checksums only if the client chose to have some."""
    algorithm = upload.checksum_algorithm or DEFAULT
    checksum = whole_of_parts(algorithm, upload.checksum_kind or FULL_OBJECT, parts)
    if not upload.checksum_algorithm:
        parts = [msgspec.structs.replace(part, checksum=None) for part in parts]
    return Version(
        0,
        "",
        0,
        etag_of_parts(parts, len(parts)),
        sum(part.size for part in parts),
        upload.storage_class,
        owner,
        checksum,
        content_type=upload.content_type,
        headers=upload.headers,
        metadata=upload.metadata,
        tags=upload.tags,
        parts=Grouped(parts),
        upload_id=upload.upload_id,
        lock=upload.lock,
        acl=upload.acl,
        encryption=upload.encryption,
    )


def check_promise(checksum: Checksum | None, count: int, checksums: Mapping[str, str]) -> None:
    """A composite value may come with and without the number of parts at its end."""
    for member, value in checksums.items():
        algorithm = BY_MEMBER[member]
        digest, dash, parts = value.partition("-")
        well_formed = not dash or (parts.isdecimal() and parts.isascii())
        read_value(algorithm, digest if well_formed else value, f"{HEADER}{algorithm.lower()} header")
        computed = shown(checksum, count).get(member)
        if computed is None or value not in (computed, computed.partition("-")[0]):
            raise bad_digest(algorithm)


def completed(cx: Context, key: str, upload_id: str) -> Version:
    try:
        version = cx.catalog.get(cx.here, key)
    except NoObject:
        raise NoUpload(cx.here.name, key, upload_id) from None
    if version.upload_id != upload_id:
        raise NoUpload(cx.here.name, key, upload_id)
    return version


def no_part(upload: Upload, number: int, etag: str) -> S3Error:
    fields = {"UploadId": upload.upload_id, "PartNumber": str(number), "ETag": etag}
    return S3Error("InvalidPart", fields=fields)
