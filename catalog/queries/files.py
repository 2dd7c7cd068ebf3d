"""What lies in a bucket: its current objects, or all versions, filtered, sorted and paged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from catalog.database.client import Reached
from catalog.database.frames import Value
from catalog.errors import InvalidFilter
from catalog.queries.pages import Page, check_limit, columns, cut, rows, unpack
from catalog.queries.points import Point, as_text, check_bucket, resolve

SORTS = {"key": "VARCHAR", "size": "BIGINT", "last_modified_date": "TIMESTAMP"}
_LAST = {"key": str, "size": int, "last_modified_date": datetime}
_AS_LIKE = str.maketrans({"*": "%", "?": "_", "%": r"\%", "_": r"\_", "\\": r"\\"})
_AT_A_POINT = ("content_type",)  # what the journal does not keep


@dataclass(frozen=True)
class FileFilter:
    """All that is given has to hold. In `glob` and `content_type` * is anything, slashes too, and ? one character.

    Of `tags` and `metadata` the value None means: any. Sizes are bytes, both included.
    """

    prefix: str = ""
    glob: str | None = None
    tags: Mapping[str, str | None] = field(default_factory=dict)
    metadata: Mapping[str, str | None] = field(default_factory=dict)
    min_size: int | None = None
    max_size: int | None = None
    min_age: timedelta | None = None
    max_age: timedelta | None = None
    content_type: str | None = None
    storage_class: str | None = None

    def condition(self) -> tuple[str, dict[str, Value]]:
        """As SQL, and the values bound to it. Raises InvalidFilter."""
        self._check()
        now = datetime.now(UTC)
        simple: list[tuple[str, str, Value]] = [
            ("starts_with(key, $prefix)", "prefix", self.prefix or None),
            (r"key LIKE $glob ESCAPE '\'", "glob", _pattern(self.glob)),
            ("size >= $min_size", "min_size", self.min_size),
            ("size <= $max_size", "max_size", self.max_size),
            ("last_modified_date <= $min_age::TIMESTAMP", "min_age", _before(now, "min_age", self.min_age)),
            ("last_modified_date >= $max_age::TIMESTAMP", "max_age", _before(now, "max_age", self.max_age)),
            (r"content_type LIKE $content_type ESCAPE '\'", "content_type", _pattern(self.content_type)),
            ("storage_class = $storage_class", "storage_class", self.storage_class),
        ]
        given: list[tuple[str, dict[str, Value]]] = [
            (sql, {name: value}) for sql, name, value in simple if value is not None
        ]
        metadata = {name.lower(): value for name, value in self.metadata.items()}  # as S3 keeps the names
        given += _of_map("object_tags", "tags", self.tags) + _of_map("user_metadata", "metadata", metadata)
        parameters: dict[str, Value] = {}
        for _, bound in given:
            parameters |= bound
        return " AND ".join([sql for sql, _ in given] or ["true"]), parameters

    def _check(self) -> None:
        for name in ("min_size", "max_size"):
            size = getattr(self, name)
            if size is not None and not 0 <= size < 2**63:
                raise InvalidFilter(name, "a size is 0 or more bytes")
        if self.min_size is not None and self.max_size is not None and self.min_size > self.max_size:
            raise InvalidFilter("min_size", f"it is more than max_size, {self.max_size}")
        for name in ("min_age", "max_age"):
            age = getattr(self, name)
            if age is not None and age < timedelta(0):
                raise InvalidFilter(name, "an age is no less than nothing")
        if self.min_age is not None and self.max_age is not None and self.min_age > self.max_age:
            raise InvalidFilter("min_age", "it is more than max_age")
        for name in ("glob", "content_type", "storage_class"):
            if getattr(self, name) == "":
                raise InvalidFilter(name, "it is empty")
        for name in ("tags", "metadata"):
            if "" in getattr(self, name):
                raise InvalidFilter(name, "a name is empty")


@dataclass(frozen=True)
class File:
    key: str
    size: int
    last_modified_date: datetime
    version_id: str
    seq: int
    e_tag: str
    storage_class: str
    content_type: str | None
    object_tags: Mapping[str, str]
    user_metadata: Mapping[str, str]


@dataclass(frozen=True)
class FileVersion:
    """A delete marker has no size, ETag or storage class."""

    key: str
    version_id: str
    seq: int
    is_latest: bool
    is_delete_marker: bool
    size: int | None
    last_modified_date: datetime
    e_tag: str | None
    storage_class: str | None
    owner: str


def list_files(
    catalog: Reached,
    bucket: str,
    matching: FileFilter | None = None,
    sort: str = "key",
    descending: bool = False,
    at: Point | None = None,
    limit: int = 1000,
    after: str | None = None,
) -> Page[File]:
    """The current objects, or those that were `at` a point (their content types are not known then).

    Raises InvalidFilter.
    """
    check_limit(limit)
    matching = matching or FileFilter()
    if sort not in SORTS:
        raise InvalidFilter("sort", f"files are sorted by {', '.join(SORTS)}, not by {sort}")
    condition, given = matching.condition()
    behind = unpack(after, [int, str, bool, _LAST[sort], str])
    point = 0 if at is None else _point(catalog, bucket, matching, at)
    if behind is not None:
        if behind[1:3] != [sort, descending] or bool(behind[0]) != bool(point):
            raise InvalidFilter("after", "it is the `next` of another list")
        point = behind[0]
        condition += f" AND {_behind(sort, descending)}"
        last = as_text(behind[3]) if sort == "last_modified_date" else behind[3]
        given |= {"last": last, "last_key": behind[4]}
    if point:
        given |= {"point": point}
    else:
        check_bucket(catalog, bucket)
    order = f"ORDER BY {sort} {'DESC' if descending else 'ASC'}, key"
    condition = f"bucket = $bucket AND {condition}"
    if point:
        source = "(SELECT *, NULL::VARCHAR AS content_type FROM objects_at_seq($bucket, $point))"
        statement = f"SELECT {columns(File)} FROM {source} WHERE {condition} {order} LIMIT {limit + 1}"
    else:
        statement = _of_page(File, "objects", condition, order, limit)
    found = rows(catalog, File, statement, given | {"bucket": bucket}, plain=not point)
    return cut(found, limit, [sort, "key"], [point, sort, descending])


def list_versions(
    catalog: Reached,
    bucket: str,
    matching: FileFilter | None = None,
    limit: int = 1000,
    after: str | None = None,
) -> Page[FileVersion]:
    """Every version there is, by key and from the newest on, delete markers too. Raises InvalidFilter."""
    check_limit(limit)
    condition, given = (matching or FileFilter()).condition()
    behind = unpack(after, [str, int])
    check_bucket(catalog, bucket)
    if behind is not None:
        given |= {"last_key": behind[0], "last_seq": behind[1]}
        condition += " AND (key > $last_key OR key = $last_key AND seq < $last_seq)"
    condition = f"bucket = $bucket AND {condition}"
    statement = _of_page(FileVersion, "versions", condition, "ORDER BY key, seq DESC", limit)
    found = rows(catalog, FileVersion, statement, given | {"bucket": bucket}, plain=True)
    return cut(found, limit, ["key", "seq"])


def _of_page(kind: type, view: str, condition: str, order: str, limit: int) -> str:
    """The rows of a page are found by the columns that it takes; then they alone are read whole."""
    page = f"WITH page AS MATERIALIZED (SELECT seq FROM {view} WHERE {condition} {order} LIMIT {limit + 1})"
    return f"{page} SELECT {columns(kind)} FROM {view} SEMI JOIN page USING (seq) {order}"


def _point(catalog: Reached, bucket: str, matching: FileFilter, at: Point) -> int:
    for name in _AT_A_POINT:
        if getattr(matching, name) is not None:
            raise InvalidFilter(name, "what it was at a point is not known")
    # Nothing was before the first mutation, which made a bucket or a user.
    return max(1, resolve(catalog, bucket, {"at": at})["at"])


def _behind(sort: str, descending: bool) -> str:
    last = f"$last::{SORTS[sort]}"
    return f"({sort} {'<' if descending else '>'} {last} OR {sort} = {last} AND key > $last_key)"


def _of_map(column: str, prefix: str, wanted: Mapping[str, str | None]) -> list[tuple[str, dict[str, Value]]]:
    found: list[tuple[str, dict[str, Value]]] = []
    for number, (name, value) in enumerate(wanted.items()):
        bound = f"{prefix}_{number}"
        if value is None:
            found.append((f"{column}[${bound}] IS NOT NULL", {bound: name}))
        else:
            found.append((f"{column}[${bound}] = ${bound}_is", {bound: name, f"{bound}_is": value}))
    return found


def _pattern(glob: str | None) -> str | None:
    """For LIKE: DuckDB's GLOB takes a byte for a character, and gives brackets and backslashes a meaning."""
    return None if glob is None else glob.translate(_AS_LIKE)


def _before(now: datetime, field: str, age: timedelta | None) -> str | None:
    try:
        return None if age is None else as_text(now - age)
    except OverflowError:
        raise InvalidFilter(field, "there was no time so long ago") from None
