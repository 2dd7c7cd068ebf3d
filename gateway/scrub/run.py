"""One scrub of a data folder, beside a running server or not: catalog against index, bodies, then files of no body."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from catalog import Catalog
from catalog.errors import NoUpload
from catalog.records import Bucket, Part, Upload
from catalog.rows import ListedVersion
from gateway.blobs import Blobs, Keyring
from gateway.rot import forget, noted
from gateway.scrub.agreement import disagreements
from gateway.scrub.bodies import Bodies
from gateway.scrub.counting import miscounted, recount, stored
from gateway.scrub.database import UNREACHED, Database
from gateway.scrub.lookback import stands
from gateway.scrub.report import CHECKS, FAILED, FILE, REPAIRED, Finding, Report
from gateway.scrub.restoring import Restorer, is_rotten, parts_of
from gateway.scrub.strays import strays
from gateway.scrub.verify import Fault, faults_of, faults_of_part, is_closed
from gateway.scrub.walk import CHUNK, Chunk, buckets, chunks, uploads, version_of

ITEM = 4096  # bytes that a version counts for at the least where there is a rate, for it is work without any
SAVE_EVERY = 5.0  # seconds
KEEP_EVERY = 60.0  # seconds, of what a bucket came to so far, in the catalog


class Scrub:
    """`rate` is bytes a second, 0 for as many as there are; `told` hears of progress.

    Nothing but its report, in the `file` of that name, is written, unless it is to `repair`: with what a `backup` has
    too, where one is given. Done `gently`, it asks the database for less at a time.
    """

    def __init__(
        self,
        catalog: Catalog,
        data: Path,
        report: Report,
        rate: float,
        told: Callable[[], None],
        repair: bool = False,
        backup: Path | None = None,
        file: str = FILE,
        gently: bool = False,
        keys: Keyring | None = None,
    ) -> None:
        self.report = report
        self._catalog = catalog
        self._data = data
        self._blobs = Blobs(data, keys=keys)
        self._database = Database(catalog, data)
        bodies = Bodies(catalog, self._blobs, self._spent)
        self._checked = bodies.checked
        self._restorer = Restorer(catalog, self._blobs, self._database, bodies, backup) if repair else None
        self._file = file
        self._chunk = CHUNK // 4 if gently else CHUNK
        self._rate = rate
        self._told = told
        self._began, self._read_since = time.monotonic(), 0
        self._saved = self._kept = time.monotonic()

    def run(self) -> None:
        """Raises NoBucket. Broken off by whatever exception, it leaves a report from which another goes on."""
        report = self.report
        try:
            with suppress(*UNREACHED):
                report.expected = report.expected or self._database.ask(stored, report.only)
            for bucket in buckets(self._catalog, report.only):
                if bucket.name > report.done:
                    report.begin(bucket.name)
                    self._bucket(bucket)
                    self._keep(bucket)
                    report.end(bucket.name)
            if not report.only:
                report.begin("")
                self._look_for_strays()
                self._keep(None)
            self._look_back()
            report.finished = time.time()
        finally:
            report.save(self._data, self._file)
            self._database.close()
            self._blobs.close()

    def _bucket(self, bucket: Bucket) -> None:
        report = self.report
        before = report.at_key
        for chunk in chunks(self._catalog, bucket, report.at_key, self._chunk):
            differing = self._compare(bucket, chunk)
            for item in chunk.items:
                if item.key != before:
                    report.at_key, before = before, item.key
                if differing is not None and item.key not in differing:
                    report.count(["agreement"])
                if not item.delete_marker:
                    report.found(self._version(bucket, item))
                self._progress(bucket)
        report.at_key = before
        for upload, parts in uploads(self._catalog, bucket):
            for part in parts:
                report.found(self._part(bucket, upload, part))
                self._progress(bucket)
        self._recount(bucket)

    def _look_back(self) -> None:
        """What others found damaged and is sound again, or nobody's any more, is forgotten."""
        for found in noted(self._data):
            if self.report.only in ("", found.bucket) and not stands(self._catalog, found, self._checked):
                forget(self._data, found)

    def _compare(self, bucket: Bucket, chunk: Chunk) -> set[str] | None:
        """The keys that the database has otherwise; None where it cannot be asked."""
        try:
            found = self._database.ask(disagreements, self._catalog, bucket, chunk)
        except UNREACHED as problem:
            self.report.found([Finding("database", problem.why)])
            return None
        self.report.found(each.finding() for each in found)
        return {each.key for each in found}

    def _recount(self, bucket: Bucket) -> None:
        try:
            prefixes, wrong = self._database.ask(miscounted, bucket)
            if not wrong:
                self.report.passed["usage"] = prefixes
                return
            detail = f"the numbers that are kept of {wrong} and others are not those of what lies there"
            found = Finding("usage", detail, bucket.name)
            if self._restorer is not None:
                self._database.ask(recount)
                if not self._database.ask(miscounted, bucket)[1]:
                    found = replace(found, detail=f"{detail}; counted anew", result=REPAIRED)
        except UNREACHED as problem:
            found = Finding("database", problem.why)
        self.report.found([found])

    def _version(self, bucket: Bucket, item: ListedVersion) -> list[Finding]:
        version = version_of(self._catalog, bucket, item)
        while version is not None:
            faults = faults_of(version, self._checked)
            now = version_of(self._catalog, bucket, item) if faults else version
            if now == version:
                self._count(faults, version.checksum is not None, any(map(is_closed, parts_of(version))))
                found = [_finding(fault, bucket, item.key, version_id=item.version_id) for fault in faults]
                return self._repaired(
                    found, parts_of(version), version.size, partial(faults_of, version, self._checked)
                )
            version = now  # its bodies moved, or it ended, while they were read
        return []

    def _part(self, bucket: Bucket, upload: Upload, part: Part) -> list[Finding]:
        """A part that was replaced meanwhile, or whose upload ended, is nobody's any more."""
        faults = faults_of_part(part, self._checked)
        if faults:
            with suppress(NoUpload):
                if part not in self._catalog.parts(bucket, upload.key, upload.upload_id, part.number - 1, 1):
                    return []
                self._count(faults, part.checksum is not None, is_closed(part))
                found = [_finding(fault, bucket, upload.key, upload_id=upload.upload_id) for fault in faults]
                return self._repaired(found, [part], part.size, partial(faults_of_part, part, self._checked))
            return []
        self._count(faults, part.checksum is not None, is_closed(part))
        return []

    def _repaired(
        self, found: list[Finding], parts: list[Part], whole: int, again: Callable[[], list[Fault]]
    ) -> list[Finding]:
        """What became of each; bytes that are wrong beyond repair are not served from now on."""
        restorer = self._restorer
        if restorer is None or not found:
            return found
        bad = [part for part in parts if any(each.part == part.number and each.body for each in found)]
        sources = {part.number: restorer.restore(part, whole) for part in bad}
        left = again()
        for part in bad:
            if is_rotten(part, left):
                restorer.give_up(part)
        wrong = {(fault.kind, fault.part) for fault in left}
        return [
            replace(each, detail=f"{each.detail}; beyond repair")
            if (each.kind, each.part) in wrong
            else replace(each, detail=f"{each.detail}; restored from {sources.get(each.part)}", result=REPAIRED)
            for each in found
        ]

    def _count(self, faults: list[Fault], has_checksum: bool, closed: bool) -> None:
        """Of what is not there, or too short, nothing more was checked; nor of what only a client can open."""
        failed = {CHECKS[fault.kind] for fault in faults}
        self.report.bodies += 1
        passed = []
        for check in ("present", "size") if closed else ("present", "size", "etag", "checksum"):
            if check not in failed:
                passed.append(check)
            elif check in ("present", "size"):
                break
        self.report.count(check for check in passed if has_checksum or check != "checksum")

    def _spent(self, block: bytes) -> bytes:
        """Waits for as long as the rate wants it."""
        self.report.bytes += len(block)
        self.report.read += len(block)
        self._pace(len(block))
        return block

    def _pace(self, size: int) -> None:
        self._read_since += size
        if self._rate:
            time.sleep(max(0.0, self._began + self._read_since / self._rate - time.monotonic()))
        self._told()

    def _look_for_strays(self) -> None:
        """Removed only where index and database agree on everything: neither names them then."""
        agreed = not any(CHECKS[each.kind] == "agreement" and each.result == FAILED for each in self.report.findings)
        for path in strays(self._catalog, self._blobs, self._data, lambda: self.report.count(["stray"])):
            found = Finding("orphan", f"{path} is named by no object or part", body=str(path.relative_to(self._data)))
            if self._restorer is not None and agreed:
                path.unlink(missing_ok=True)
                found = replace(found, detail=f"{found.detail}; removed", result=REPAIRED)
            self.report.found([found])

    def _progress(self, bucket: Bucket) -> None:
        self._database.rest()
        self._pace(ITEM if self._rate else 0)
        now = time.monotonic()
        if now > self._saved + SAVE_EVERY:
            self.report.save(self._data, self._file)
            self._saved = now
        if now > self._kept + KEEP_EVERY:
            self._keep(bucket)

    def _keep(self, bucket: Bucket | None) -> None:
        """What the bucket came to so far, or what is of no bucket, in the catalog."""
        name, bucket_id = (bucket.name, bucket.id) if bucket is not None else ("", None)
        try:
            self._database.keep(self.report.started, bucket_id, self.report.validations(name))
        except UNREACHED as problem:
            self.report.found([Finding("database", f"what was found cannot be kept: {problem.why}")])
        self._kept = time.monotonic()


def _finding(fault: Fault, bucket: Bucket, key: str, version_id: str = "", upload_id: str = "") -> Finding:
    return Finding(fault.kind, fault.detail, bucket.name, key, version_id, upload_id, fault.part, fault.body)
