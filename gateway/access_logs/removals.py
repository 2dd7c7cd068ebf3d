"""Lines of access logs that no request leaves: what lifecycle rules remove.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-and-other-bucket-config.html
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from catalog.lifecycle import ABORT, EXPIRE, REQUESTER
from catalog.records import Bucket
from catalog.requests import LOGGED, Incoming
from gateway.access_logs.line import Entry
from gateway.access_logs.recorder import log_of
from gateway.recording import Batches

EXPIRED, HIDDEN, ABORTED = "S3.EXPIRE.OBJECT", "S3.CREATE.DELETEMARKER", "S3.DELETE.UPLOAD"


class Removals:
    def __init__(self, data: Path) -> None:
        self._batches = Batches(Incoming(data, LOGGED), "%s removals in all are in no access log: %s")

    def add(self, bucket: Bucket, kind: str, key: str, size: int) -> None:
        """Nothing, unless the bucket has a log. `kind` is that of a step of the rules."""
        log = log_of(bucket)
        if log is None:
            return
        batches = self._batches
        if not batches.rows:
            batches.begin()
        batches.rows.append(
            Entry(
                log,
                time.time(),
                remote_ip="",
                requester=REQUESTER,
                request_id=os.urandom(8).hex().upper(),
                operation=name_of(kind, bool(bucket.versioning)),
                key=key,
                uri=None,
                status=0,
                error="",
                sent=0,
                size=None if kind == ABORT else size,
                total_time=None,
                turn_around_time=None,
                referer=None,
                user_agent=None,
                version_id=None,
                host_id="-",
                signature="",
                cipher="",
                authentication="",
                host="",
                tls="",
                acl_required=False,
            )
        )
        if len(batches.rows) >= batches.enough:
            batches.hand_over()

    def close(self) -> None:
        self._batches.close()


def name_of(kind: str, versioned: bool) -> str:
    """Where a bucket keeps versions, what expires is hidden by a delete marker."""
    if kind == ABORT:
        return ABORTED
    return HIDDEN if kind == EXPIRE and versioned else EXPIRED
