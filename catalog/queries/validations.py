"""Whether what is stored is sound: what scrubs looked at, when, and what they found."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from catalog.database.client import Reached
from catalog.database.frames import Value
from catalog.errors import InvalidFilter
from catalog.queries.pages import Page, check_limit, columns, cut, rows, unpack
from catalog.queries.points import as_text, check_bucket

CHECKS = ("present", "size", "etag", "checksum", "agreement", "usage", "stray")
RESULTS = ("passed", "failed", "repaired")


@dataclass(frozen=True)
class Validation:
    """What a check of a scrub (named by when it began) came to.

    `items` things of a bucket `passed`, of so many bytes; or one thing, named by what follows, `failed` or was
    `repaired`. `body` is where its bytes lie. What has no bucket is of the whole data folder.
    """

    validation: int
    scrub: datetime
    validation_timestamp: datetime
    bucket: str | None
    check_type: str
    result: str
    items: int
    bytes: int
    key: str | None
    version_id: str | None
    upload_id: str | None
    part_number: int | None
    body: str | None
    detail: str | None


@dataclass(frozen=True)
class ValidationSummary:
    """What the latest scrub to make this check of a bucket came to; `scrubs` is how many have made it."""

    bucket: str | None
    check_type: str
    scrub: datetime
    validation_timestamp: datetime
    passed: int
    failed: int
    repaired: int
    bytes: int
    scrubs: int


def list_validations(
    catalog: Reached,
    bucket: str | None = None,
    prefix: str = "",
    check: str | None = None,
    result: str | None = None,
    since: datetime | None = None,
    limit: int = 1000,
    after: str | None = None,
) -> Page[Validation]:
    """The newest first. With a `prefix` only what has a key, which is what did not pass. Raises InvalidFilter."""
    check_limit(limit)
    _check_one_of("result", result, RESULTS)
    behind = unpack(after, [int])
    condition, given = _condition(catalog, bucket, check, since)
    if prefix:
        condition, given = f"{condition} AND starts_with(key, $prefix)", given | {"prefix": prefix}
    if result is not None:
        condition, given = f"{condition} AND result = $result", given | {"result": result}
    if behind is not None:
        condition, given = f"{condition} AND validation < $behind", given | {"behind": behind[0]}
    order = f"ORDER BY validation DESC LIMIT {limit + 1}"
    statement = f"SELECT {columns(Validation)} FROM validations WHERE {condition} {order}"
    return cut(rows(catalog, Validation, statement, given), limit, ["validation"])


def get_validation_summary(
    catalog: Reached, bucket: str | None = None, check: str | None = None, since: datetime | None = None
) -> tuple[ValidationSummary, ...]:
    """One for each bucket and check, those of the whole folder last. Raises InvalidFilter."""
    condition, given = _condition(catalog, bucket, check, since)
    return tuple(rows(catalog, ValidationSummary, _SUMMARY.format(condition=condition), given))


def _condition(
    catalog: Reached, bucket: str | None, check: str | None, since: datetime | None
) -> tuple[str, dict[str, Value]]:
    _check_one_of("check", check, CHECKS)
    if bucket is not None:
        check_bucket(catalog, bucket)
    simple: list[tuple[str, str, Value]] = [
        ("bucket = $bucket", "bucket", bucket),
        ("check_type = $check", "check", check),
        ("validation_timestamp >= $since::TIMESTAMP", "since", None if since is None else as_text(since)),
    ]
    given = [(sql, name, value) for sql, name, value in simple if value is not None]
    return " AND ".join([sql for sql, _, _ in given] or ["true"]), {name: value for _, name, value in given}


def _check_one_of(field: str, value: str | None, known: tuple[str, ...]) -> None:
    if value is not None and value not in known:
        raise InvalidFilter(field, f"it is one of {', '.join(known)}, not {value}")


_SUMMARY = f"""
WITH found AS (
    SELECT *, max(scrub) OVER (PARTITION BY bucket, check_type) AS latest, dense_rank() OVER scrubs AS scrubs
    FROM validations
    WHERE {{condition}}
    WINDOW scrubs AS (PARTITION BY bucket, check_type ORDER BY scrub)
)
SELECT
    bucket,
    check_type,
    scrub,
    max(validation_timestamp) AS validation_timestamp,
    {", ".join(f"coalesce(sum(items) FILTER (result = '{result}'), 0)::BIGINT AS {result}" for result in RESULTS)},
    sum(bytes)::BIGINT AS bytes,
    max(scrubs) AS scrubs
FROM found
WHERE scrub = latest
GROUP BY bucket, check_type, scrub
ORDER BY bucket NULLS LAST, list_position({list(CHECKS)}, check_type)
"""
