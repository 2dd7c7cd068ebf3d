"""One scrub of a data folder, beside a running server or not: catalog against index, bodies, then files of no body."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from catalog import Catalog
from catalog.database.client import reach
from catalog.errors import CatalogUnusable, NoUpload, QueryFailed, QueryStopped
from catalog.records import Bucket, Part, Piece, Upload
from catalog.rows import ListedVersion
from gateway.blobs import Blobs
from gateway.scrub.agreement import disagreements
from gateway.scrub.report import Finding, Report
from gateway.scrub.verify import Fault, faults_of, faults_of_part
from gateway.scrub.walk import buckets, listed, uploads, version_of

BLOCK = 1 << 20
SAVE_EVERY = 5.0  # seconds
SETTLED = 60.0  # seconds after which a body whose record never came is taken for an orphan
TRIES = 3  # of a comparison that the database broke off, to make room for a checkpoint


class Scrub:
    """Writes nothing but its report. `rate` is bytes a second, 0 for as many as there are; `told` hears of progress."""

    def __init__(self, catalog: Catalog, data: Path, report: Report, rate: float, told: Callable[[], None]) -> None:
        self.report = report
        self._catalog = catalog
        self._data = data
        self._blobs = Blobs(data)
        self._rate = rate
        self._told = told
        self._began, self._read_since = time.monotonic(), 0
        self._saved = time.monotonic()

    def run(self) -> None:
        """Raises NoBucket. Broken off by whatever exception, it leaves a report from which another goes on."""
        try:
            self._compare()
            self._read_bodies()
            if not self.report.only:
                self._look_for_orphans()
            self.report.finished = time.time()
        finally:
            self.report.save(self._data)
            self._blobs.close()

    def _compare(self) -> None:
        """Anew after every start: what was found by an earlier one is not kept."""
        self.report.findings = [each for each in self.report.findings if each.kind != "database"]
        try:
            with reach(self._data, catalog=self._catalog) as database:
                for bucket in buckets(self._catalog, self.report.only):
                    self.report.findings += _patiently(partial(disagreements, self._catalog, database, bucket))
                    self._told()
        except (CatalogUnusable, QueryFailed, QueryStopped) as problem:
            self.report.findings.append(Finding("database", problem.why))

    def _read_bodies(self) -> None:
        report = self.report
        for bucket in buckets(self._catalog, report.only):
            if bucket.name < report.at_bucket:
                continue
            if bucket.name > report.at_bucket:
                report.at_bucket, report.at_key = bucket.name, ""
            before = report.at_key
            for item in listed(self._catalog, bucket, report.at_key):
                if item.key != before:
                    report.at_key, before = before, item.key
                if not item.delete_marker:
                    report.findings += self._version(bucket, item)
                self._progress()
            report.at_key = before
            for upload, parts in uploads(self._catalog, bucket):
                for part in parts:
                    report.findings += self._part(bucket, upload, part)
                    self._progress()

    def _version(self, bucket: Bucket, item: ListedVersion) -> list[Finding]:
        version = version_of(self._catalog, bucket, item)
        while version is not None:
            faults = faults_of(version, self._read)
            now = version_of(self._catalog, bucket, item) if faults else version
            if now == version:
                self.report.bodies += 1
                return [_finding(fault, bucket, item.key, version_id=item.version_id) for fault in faults]
            version = now  # its bodies moved, or it ended, while they were read
        return []

    def _part(self, bucket: Bucket, upload: Upload, part: Part) -> list[Finding]:
        """A part that was replaced meanwhile, or whose upload ended, is nobody's any more."""
        faults = faults_of_part(part, self._read)
        if faults:
            with suppress(NoUpload):
                if part in self._catalog.parts(bucket, upload.key, upload.upload_id, part.number - 1, 1):
                    return [_finding(fault, bucket, upload.key, upload_id=upload.upload_id) for fault in faults]
            return []
        self.report.bodies += 1
        return []

    def _read(self, piece: Piece) -> Iterator[bytes]:
        if piece.blob is None:
            yield self._spent(self._catalog.read(piece))
            return
        file = os.open(self._blobs.path(piece.blob), os.O_RDONLY | os.O_CLOEXEC)
        try:
            at, end = piece.offset, piece.offset + piece.size
            while at < end and (block := os.pread(file, min(BLOCK, end - at), at)):
                yield self._spent(block)
                at += len(block)
        finally:
            os.close(file)

    def _spent(self, block: bytes) -> bytes:
        """Waits for as long as the rate wants it."""
        self.report.bytes += len(block)
        self._read_since += len(block)
        if self._rate:
            time.sleep(max(0.0, self._began + self._read_since / self._rate - time.monotonic()))
        self._told()
        return block

    def _look_for_orphans(self) -> None:
        """A body is there a moment before its record, and goes a moment after its last one: those are given time."""
        suspects = [
            blob for blob in self._blobs.older_than(time.time() - SETTLED) if not self._catalog.blob_alive(blob)
        ]
        if suspects:
            time.sleep(1)
        for blob in suspects:
            path = self._blobs.path(blob)
            if path.exists() and not self._catalog.blob_alive(blob):
                detail = f"{path} is named by no object or part; a start of the server removes it"
                self.report.findings.append(Finding("orphan", detail))

    def _progress(self) -> None:
        if time.monotonic() > self._saved + SAVE_EVERY:
            self.report.save(self._data)
            self._saved = time.monotonic()


def _patiently(compare: Callable[[], Iterator[Finding]]) -> list[Finding]:
    for _ in range(TRIES - 1):
        with suppress(QueryStopped):
            return list(compare())
    return list(compare())


def _finding(fault: Fault, bucket: Bucket, key: str, version_id: str = "", upload_id: str = "") -> Finding:
    return Finding(fault.kind, fault.detail, bucket.name, key, version_id, upload_id, fault.part)
