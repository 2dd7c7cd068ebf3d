"""Requests as a worker hands them over."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from catalog.requests import Incoming, Served

NOW = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=250_000)
USUAL = Served(
    time=NOW.timestamp(),
    request_id="REQ",
    requester="root",
    remote_ip="127.0.0.1",
    operation="GetObject",
    bucket_id=1,
    bucket="photos",
    key="cat.jpg",
    version_id=None,
    http_status=200,
    error_code=None,
    bytes_sent=5,
    bytes_received=0,
    total_time=1.5,
    turn_around_time=1.0,
    referer=None,
    user_agent="test",
)


def hand_over(data: Path, *rows: dict[str, Any], incoming: Incoming | None = None) -> None:
    """Rows that differ from the usual one in these fields, as a worker that then ends."""
    file = incoming or Incoming(data)
    file.append(msgspec.msgpack.encode([USUAL._replace(**row) for row in rows]))
    if incoming is None:
        file.close()
