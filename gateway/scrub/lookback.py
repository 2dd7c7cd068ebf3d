"""Whether what somebody found damaged when it was read is so still."""

from __future__ import annotations

from catalog import Catalog
from catalog.errors import NoBucket
from catalog.records import Version
from gateway.rot import Rotten, pieces
from gateway.scrub.verify import Read, faults_of, place
from gateway.scrub.walk import GONE


def stands(catalog: Catalog, found: Rotten, read: Read) -> bool:
    """Of a version that is there and names the body: who else shares it is the scrub's to find."""
    version = _version(catalog, found)
    while version is not None and (not found.body or found.body in map(place, pieces(version))):
        faults = faults_of(version, read)
        now = _version(catalog, found) if faults else version
        if now == version:
            return bool(faults)
        version = now  # its bodies moved, or it ended, while they were read
    return False


def _version(catalog: Catalog, found: Rotten) -> Version | None:
    try:
        return catalog.whole(catalog.get(catalog.bucket(found.bucket), found.key, found.version_id or None))
    except (NoBucket, *GONE):
        return None
