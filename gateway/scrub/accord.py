"""Makes index and database say the same again, where the journal tells which of them is right."""

from __future__ import annotations

from pathlib import Path

from catalog import Catalog
from catalog.database.client import Reached
from gateway.scrub.agreement import Disagreement, disagreement, disagreements, journalled
from gateway.scrub.database import UNREACHED, Database
from gateway.scrub.report import REPAIRED, Finding, Report
from gateway.scrub.walk import buckets, chunks


def reconcile(data: Path, report: Report) -> None:
    """Puts right the rows of the database, and the index of a stopped folder; what could not be done is a finding.

    Raises NoBucket and CatalogUnusable.
    """
    catalog = Catalog.open(data)
    database = Database(catalog, data)
    wrong: list[Disagreement] = []
    try:
        wrong = _with_rows_put_right(catalog, database, report)
    except UNREACHED as problem:
        report.found([Finding("database", problem.why)])
    finally:
        database.close()
        catalog.release()
    if wrong:
        try:
            _reindex(data, wrong, report)
        except UNREACHED as problem:
            report.found([Finding("database", f"the key index cannot be made anew: {problem.why}")])


def _with_rows_put_right(catalog: Catalog, database: Database, report: Report) -> list[Disagreement]:
    """What only an index made anew would put right: nothing where that could lose what the index alone has."""
    wrong, undecided = [], bool(report.only)
    for bucket in buckets(catalog, report.only):
        for chunk in chunks(catalog, bucket, ""):
            for found in database.ask(disagreements, catalog, bucket, chunk):
                by_history = database.ask(journalled, bucket, found.key)
                if by_history == found.indexed:
                    undecided |= not _mended(catalog, database, found, report)
                elif by_history == found.said:
                    wrong.append(found)
                else:
                    undecided = True
            database.rest()
    return [] if undecided else wrong


def _mended(catalog: Catalog, database: Database, found: Disagreement, report: Report) -> bool:
    database.ask(_mend, found)
    if database.ask(disagreement, catalog, found.bucket, found.key) is not None:
        return False
    more = "; the journal agrees with the index, and the rows were made anew of it"
    report.found([found.finding(more, result=REPAIRED)])
    return True


def _mend(reached: Reached, found: Disagreement) -> None:
    reached.mend(found.bucket.id, [found.key])


def _reindex(data: Path, wrong: list[Disagreement], report: Report) -> None:
    """Raises CatalogUnusable where a server runs, and as `Database.ask`."""
    catalog = Catalog.open_anew(data)
    database = Database(catalog, data)
    try:
        for found in wrong:
            if database.ask(disagreement, catalog, found.bucket, found.key) is None:
                more = "; the journal agrees with the database, and the index was made anew of it"
                report.found([found.finding(more, result=REPAIRED)])
    finally:
        database.close()
        catalog.release()
