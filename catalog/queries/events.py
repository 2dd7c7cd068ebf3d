"""Events that the log has no more, out of the journal."""

from __future__ import annotations

from datetime import datetime

from catalog.database.client import Reached
from catalog.events import EMPTY, UPDATED, Event, creation, removal
from catalog.queries.pages import check_limit, values
from catalog.records import NULL_VERSION, Origin

_EPOCH = datetime(1970, 1, 1)


def list_events(catalog: Reached, after: int, until: int, limit: int = 1000) -> list[tuple[str, Event]]:
    """Each with the name of its bucket: those behind the mutation `after`, up to `until`, in their order.

    Raises InvalidFilter.
    """
    check_limit(limit)
    given = {"after": after, "until": until}
    return [_event(*row) for row in values(catalog, _EVENTS.format(limit=limit), given, plain=True)]


def _event(
    seq: int,
    operation: str,
    s3_operation: str | None,
    time: datetime,
    requester: str,
    address: str,
    request_id: str,
    bucket: str,
    key: str,
    version_id: str | None,
    size: int | None,
    etag: str | None,
    upload_id: str | None,
) -> tuple[str, Event]:
    origin = Origin(requester, address, request_id, s3_operation or "")
    if operation == "ObjectPut":
        name = creation(origin, upload_id)
    elif operation == "VersionUpdated":
        name, size = UPDATED[origin.operation], None
    else:
        marker = operation == "DeleteMarkerPut"
        name, size, etag = removal(origin, marker), None, EMPTY if marker else None
    milliseconds = round((time - _EPOCH).total_seconds() * 1000)
    return bucket, Event(seq, name, milliseconds, origin, key, version_id or NULL_VERSION, size, etag)


_EVENTS = f"""
SELECT
    seq, operation, s3_operation, record_timestamp, requester, source_ip_address, request_id, bucket, key, version_id,
    size, e_tag, upload_id
FROM journal
WHERE seq > $after AND seq <= $until
    AND (operation IN ('ObjectPut', 'DeleteMarkerPut', 'VersionRemoved')
        OR operation = 'VersionUpdated' AND s3_operation IN ({", ".join(f"'{name}'" for name in UPDATED)}))
ORDER BY seq
LIMIT {{limit}}
"""
