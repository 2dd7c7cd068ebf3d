"""Large bodies on disk, by id; knows files and bytes, nothing of S3 or the catalog."""

from gateway.blobs.digests import Digests, combine_crc, digest
from gateway.blobs.keys import Keyring
from gateway.blobs.reading import BlobReader
from gateway.blobs.sealing import SealedReader
from gateway.blobs.store import Blob, Blobs

__all__ = ["Blob", "BlobReader", "Blobs", "Digests", "Keyring", "SealedReader", "combine_crc", "digest"]
