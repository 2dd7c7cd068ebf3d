"""What each S3 operation does, one file a resource: from a Context and its input to plain data."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.records import Origin
from gateway.access import allow

if TYPE_CHECKING:
    from catalog import Catalog
    from catalog.records import Bucket, User
    from gateway.blobs import Blobs
    from gateway.request import Request
    from gateway.settings import Settings


@dataclass(slots=True)
class Context:
    """`bucket` is the one the request names, as it was when the caller was let in; CreateBucket has none."""

    catalog: Catalog
    blobs: Blobs
    settings: Settings
    request: Request
    caller: User
    bucket: Bucket | None = None

    @property
    def origin(self) -> Origin:
        """What the catalog is to note of who asked for a change."""
        return Origin(self.caller.id, self.request.client_ip, self.request.request_id)

    @property
    def here(self) -> Bucket:
        assert self.bucket is not None
        return self.bucket

    def reach(self, name: str, operation: str) -> Bucket:
        """Another bucket than the request's own: where a copy comes from. Raises NoBucket or AccessDenied."""
        found = self.catalog.bucket(name)
        allow(self.caller, operation, found)
        return found


def load() -> None:
    """Import every operation, so that each takes its place in the service model."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
