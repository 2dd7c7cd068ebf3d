"""What each S3 operation does, one file a resource: from a Context and its input to plain data."""

from __future__ import annotations

import importlib
import pkgutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from catalog.errors import NoBucket, NoObject, NoVersion
from catalog.records import Origin
from gateway.access.asked import Asked
from gateway.access.deciding import check_read, may_grant, may_list, permits
from gateway.s3.errors import S3Error

if TYPE_CHECKING:
    from catalog import Catalog
    from catalog.records import Bucket, User
    from gateway.blobs import Blobs
    from gateway.request import Request
    from gateway.settings import Settings


@dataclass(slots=True)
class Context:
    """`bucket` is the one the request names, as it was when the caller was let in; CreateBucket has none.

    `undecided` is what has to be asked of the bucket's policy once the request's document is read; `reached` is another
    bucket that the request reads.
    """

    catalog: Catalog
    blobs: Blobs
    settings: Settings
    request: Request
    caller: User
    bucket: Bucket | None = None
    undecided: Asked | None = None
    reached: Bucket | None = None

    @property
    def origin(self) -> Origin:
        """What the catalog is to note of who asked for a change."""
        return Origin(self.caller.id, self.request.client_ip, self.request.request_id)

    def origin_of(self, operation: str) -> Origin:
        """Of a change that other operations make as well."""
        return Origin(self.caller.id, self.request.client_ip, self.request.request_id, operation)

    @property
    def here(self) -> Bucket:
        assert self.bucket is not None
        return self.bucket

    def ask(self, bucket: Bucket, key: str | None, version_id: str | None = None) -> Asked:
        """Of a bucket or a key that the request does not name in its line."""
        return Asked(self.caller, bucket, key, version_id, self.request, self.catalog)

    def reach(self, name: str, key: str, version_id: str | None) -> Bucket:
        """Another bucket than the request's own: where a copy comes from. Raises NoBucket or AccessDenied."""
        self.reached = found = self.catalog.bucket(name)
        check_read(self.ask(found, key, version_id))
        return found

    def may(self, action: str, key: str, version_id: str | None = None) -> bool:
        """Whether the caller has leave for one more action of policies, on a key of the request's bucket."""
        return permits(action, self.ask(self.here, key, version_id))

    def may_grant(self, key: str) -> bool:
        """Whether the caller may give a new object under this key an ACL that is for others, too."""
        return may_grant(self.ask(self.here, key))

    def hide(self, missing: NoObject | NoVersion) -> Exception:
        """What is said of an object that is not there: who may not list its bucket is not told."""
        bucket = self.bucket
        try:
            if bucket is None or bucket.name != missing.bucket:
                bucket = self.catalog.bucket(missing.bucket)
        except NoBucket as gone:
            return gone
        return missing if may_list(self.ask(bucket, missing.key)) else S3Error("AccessDenied")


def load() -> None:
    """Import every operation, so that each takes its place in the service model."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
