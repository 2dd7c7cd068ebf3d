"""What blobs can refuse, as facts. The gateway maps each to an S3 error code in one table."""

from __future__ import annotations

from dataclasses import dataclass


class BlobError(Exception):
    """Base of every fact below; its fields are the particulars."""


@dataclass
class NoBlob(BlobError):
    """Unlinked, or never there: whoever named it should look the object up again."""

    blob: bytes


@dataclass
class BlobCut(BlobError):
    """The file ends before the bytes that were promised: the disk lost some."""

    blob: bytes
    size: int

    def __str__(self) -> str:
        return f"the blob {self.blob.hex()} ends at byte {self.size}"


@dataclass
class BlobDamaged(BlobError):
    """The bytes from `start` to `stop` are not those that were written: the disk changed them, or their checksum."""

    blob: bytes
    start: int
    stop: int

    def __str__(self) -> str:
        return f"the bytes {self.start} to {self.stop - 1} of the blob {self.blob.hex()} are not what was written"


@dataclass
class NoRoom(BlobError):
    """The disk has no room for a body; nothing of it remains."""

    path: str


@dataclass
class NoKey(BlobError):
    """The server's key of that id is not there: what it wrapped cannot be read, nothing new be wrapped."""

    by: str

    def __str__(self) -> str:
        return f"the encryption key {self.by} is not there: give it in encryption_key or encryption_key_file"


class WrongKey(BlobError):
    """A body's key was not wrapped by this key."""
