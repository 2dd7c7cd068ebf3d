"""What the catalog holds and what the log carries: plain records, encoded as MessagePack arrays.

Fields are only ever added at the end and with a default, so that an old log reads on.
Times are milliseconds since the epoch, sizes are bytes, ETags are without quotes.
"""

from __future__ import annotations

import msgspec

NULL_VERSION = "null"


class Record(msgspec.Struct, array_like=True, frozen=True, gc=False, omit_defaults=True):
    pass


class Piece(Record, frozen=True):
    """Where some bytes of a body lie: in the log (`segment` > 0) or in a blob file of its own (`blob`, 16 bytes)."""

    size: int
    segment: int = 0
    offset: int = 0
    blob: bytes | None = None


class Checksum(Record, frozen=True):
    """`value` is base64 as S3 writes it (composite: without the -N); `kind` is FULL_OBJECT or COMPOSITE."""

    algorithm: str
    value: str
    kind: str = "FULL_OBJECT"


class Encryption(Record, frozen=True):
    """By what bytes are sealed that lie anywhere: `kind` is AES256 or aws:kms (by the server) or SSE-C (by a client).

    `key` is the bytes' own key, wrapped by the server's of the id `by`, or by the client's; what consists of parts has
    one that proves the client's key, its bytes have those of the parts. `tag` is that of a body in the log.
    """

    kind: str
    key: bytes
    by: str = ""
    tag: bytes = b""
    kms_key: str = ""  # of aws:kms the key's name as it was given
    bucket_key: bool = False  # likewise


class Part(Record, frozen=True):
    """One part of an upload, or of the object completed from it. `checksum` is the part's own value."""

    number: int
    size: int
    etag: str
    modified: int
    piece: Piece | None
    checksum: Checksum | None = None
    encryption: Encryption | None = None


class Numbered(Record, frozen=True):
    """Which part it is: the first field of `Part`, decoded without the rest."""

    number: int


assert Part.__struct_fields__[: len(Numbered.__struct_fields__)] == Numbered.__struct_fields__


class Lock(Record, frozen=True):
    """What keeps a version from ending: `mode` (GOVERNANCE, COMPLIANCE, "" for none) until `until`, and a legal hold.

    `hold` is ON or OFF, "" where there never was one.
    """

    mode: str = ""
    until: int = 0
    hold: str = ""


class Version(Record, frozen=True):
    """One version of an object, or a delete marker. `seq` is the mutation that made it and identifies it for good."""

    seq: int
    version_id: str
    modified: int
    etag: str
    size: int
    storage_class: str
    owner: str
    checksum: Checksum | None = None
    delete_marker: bool = False
    body: Piece | None = None
    content_type: str = "binary/octet-stream"
    headers: dict[str, str] | None = None  # Cache-Control and its like, by lower-case name
    metadata: dict[str, str] | None = None  # user metadata, names lower-case without the x-amz-meta- prefix
    tags: dict[str, str] | None = None
    parts: list[Part] | int | None = None  # of a completed multipart upload, or how many; then body is None
    upload_id: str | None = None  # the upload it was completed from
    lock: Lock | None = None
    acl: str | None = None  # grants as JSON, for the gateway to read; None is the owner's full control
    encryption: Encryption | None = None

    @property
    def part_count(self) -> int:
        """0 for an object that was not completed from an upload."""
        parts = self.parts
        return len(parts) if isinstance(parts, list) else parts or 0


class Named(Record, frozen=True):
    """Which version it is: the first fields of `Version`, decoded without the rest."""

    seq: int
    version_id: str


assert Version.__struct_fields__[: len(Named.__struct_fields__)] == Named.__struct_fields__


class ObjectLock(Record, frozen=True):
    """A bucket's Object Lock, there for good: how long new versions are retained unless they say it themselves.

    `mode` is "" where they are not; else `days` or `years` is more than 0.
    """

    mode: str = ""
    days: int = 0
    years: int = 0


class Bucket(Record, frozen=True):
    """`versioning` is "" (never enabled), "Enabled" or "Suspended"; `settings` holds each configuration by its name."""

    id: int
    name: str
    owner: str
    created: int
    region: str
    versioning: str = ""
    tags: dict[str, str] | None = None
    settings: dict[str, str] | None = None
    object_lock: ObjectLock | None = None


class Upload(Record, frozen=True):
    """A multipart upload under way, with what the object will have. `checksum_algorithm` "" means none was chosen."""

    upload_id: str
    bucket_id: int
    key: str
    initiated: int
    owner: str
    storage_class: str = "STANDARD"
    content_type: str = "binary/octet-stream"
    headers: dict[str, str] | None = None
    metadata: dict[str, str] | None = None
    tags: dict[str, str] | None = None
    checksum_algorithm: str = ""
    checksum_kind: str = ""
    lock: Lock | None = None
    object_owner: str = ""  # whose the object will be, if not the bucket's owner's
    acl: str | None = None
    encryption: Encryption | None = None  # of its parts to come, and of the object


class User(Record, frozen=True):
    """`id` is the canonical owner id that clients see."""

    id: str
    name: str
    access_key: str
    secret_key: str
    display_name: str = ""
    email: str = ""
    created: int = 0


class Origin(Record, frozen=True):
    """Who asked for a mutation: user id ("" for the anonymous), address and request id.

    `operation` is S3's name of what was asked for, where the mutation itself does not tell it from others.
    """

    requester: str = ""
    source_ip: str = ""
    request_id: str = ""
    operation: str = ""


class Removed(Record, frozen=True):
    """A version that ended for good."""

    seq: int
    version_id: str


class BucketPut(Record, frozen=True, tag=1):
    """Created or altered: the whole record as it is from now on."""

    bucket: Bucket


class BucketRemoved(Record, frozen=True, tag=2):
    bucket_id: int
    name: str


class ObjectChanged(Record, frozen=True, tag=3):
    """Versions `removed` ended; then `put`, if any, became the newest (the one that was current: noncurrent).

    With `upload_id` the upload of that id ended in `put`: its parts that `put` does not name are dropped.
    `previous` is the `seq` of the newest of the key's other versions that remain (0: none remains), which `put` makes
    noncurrent, or which is the newest now where there is no `put`. None says nothing: who needs it must look it up.
    """

    bucket_id: int
    key: str
    put: Version | None = None
    removed: list[Removed] = []
    upload_id: str | None = None
    previous: int | None = None


class VersionUpdated(Record, frozen=True, tag=4):
    """A version got new attributes (tags, say): the record whole, under its old `seq`."""

    bucket_id: int
    key: str
    version: Version


class UploadCreated(Record, frozen=True, tag=5):
    upload: Upload


class UploadAborted(Record, frozen=True, tag=6):
    bucket_id: int
    key: str
    upload_id: str


class PartPut(Record, frozen=True, tag=7):
    """A part came, in the place of an earlier one of the same number."""

    bucket_id: int
    key: str
    upload_id: str
    part: Part


class UserPut(Record, frozen=True, tag=8):
    user: User


class UserRemoved(Record, frozen=True, tag=9):
    user: User


class VersionHolder(Record, frozen=True):
    """A version that names a body: itself or by one of its parts."""

    bucket_id: int
    key: str
    seq: int


class PartHolder(Record, frozen=True):
    """A part of an upload under way that names a body."""

    upload_id: str
    number: int


class BodyMoved(Record, frozen=True, tag=10):
    """A small body of the log lies at `new` from now on for these holders, who named it by `old`.

    Nothing that S3 or SQL shows of them changes.
    """

    old: Piece
    new: Piece
    versions: list[VersionHolder] = []
    parts: list[PartHolder] = []


Mutation = (
    BucketPut
    | BucketRemoved
    | ObjectChanged
    | VersionUpdated
    | UploadCreated
    | UploadAborted
    | PartPut
    | UserPut
    | UserRemoved
    | BodyMoved
)


class LogRecord(Record, frozen=True):
    """What one record of the log says. Its sequence number stands in the record's frame.

    All mutations up to the number `settled` had been acknowledged when it was written. `seal` proves that the catalog
    wrote it, and no client by way of a body. It is the last of the message's bytes, and has to stay that.
    """

    time: int
    origin: Origin
    mutation: Mutation
    settled: int = 0
    seal: int = 0


def seal_of(catalog_id: bytes) -> int:
    """What clients cannot know: the catalog's id is random and told to nobody. It always takes 8 bytes."""
    return int.from_bytes(catalog_id[:8], "big") | 1 << 63


class Position(Record, frozen=True):
    """A place in the log just behind a record: where the next one goes. `chain` is the CRC the next one continues."""

    segment: int
    offset: int
    seq: int
    chain: int
