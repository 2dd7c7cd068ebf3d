"""`ducket catalog QUESTION`: what a bucket holds, held and changed, what takes the space, and whether it is sound."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.table import table

if TYPE_CHECKING:  # it brings DuckDB along, which the other commands need not wait for
    from catalog.queries import FileFilter, Page, Reached, Usage

UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
WIDE = ("object_tags", "user_metadata", "keys", "body")  # what a table has no room for
BY = ("bucket", "prefix", "tag", "owner", "storage_class", "content_type", "age")
EVERY = ("day", "week", "month")
SORTS = ("key", "size", "last_modified_date")


def add(commands: Commands) -> None:
    group = commands.add_parser("catalog", help="what a bucket holds, held and changed; what takes the space")
    actions = group.add_subparsers(metavar="QUESTION", required=True)

    def question(name: str, help: str, run: Callable[[argparse.Namespace], None]) -> argparse.ArgumentParser:
        command: argparse.ArgumentParser = actions.add_parser(name, help=help)
        command.add_argument("--json", action="store_true", help="write JSON")
        command.set_defaults(run=run)
        add_settings(command, only=["data"])
        return command

    stats = question("stats", "a bucket in numbers", run_stats)
    files = question("files", "the current objects of a bucket, filtered and sorted", run_files)
    versions = question("versions", "all versions in a bucket, filtered", run_versions)
    delta = question("delta", "what changed in a bucket between two points", run_delta)
    usage = question("usage", "what takes the space", run_usage)
    growth = question("growth", "how usage grew, by day, week or month", run_growth)
    forecast = question("forecast", "where usage goes, and when the disk is full", run_forecast)
    find = question("find", "the versions with an ETag, checksum, version id or body", run_find)
    duplicates = question("duplicates", "the contents that a bucket holds more than once", run_duplicates)

    validations = question("validations", "what scrubs came to, the newest first", run_validations)
    summary = question("validation-summary", "whether what is stored is sound", run_validation_summary)

    for command in (validations, summary):
        command.add_argument("--bucket", metavar="B", help="of one bucket only")
        command.add_argument("--check", metavar="C", help="present, size, etag, checksum, agreement, usage or stray")
        command.add_argument("--since", metavar="TIME", help="no earlier than (UTC)")
    validations.add_argument("--prefix", metavar="P", default="", help="of keys that begin so: what did not pass")
    validations.add_argument("--result", metavar="R", help="passed, failed or repaired")
    for command in (stats, files, versions, delta, duplicates):
        command.add_argument("bucket", metavar="BUCKET")
    for command in (stats, files):
        command.add_argument("--at", metavar="POINT", help="as it was: a sequence number, a time (UTC) or a name")
    delta.add_argument("since", metavar="FROM", help="a sequence number, a time (UTC) or a name")
    delta.add_argument("until", metavar="TO", nargs="?", default="latest", help="the same (default: latest)")
    find.add_argument("artifact_id", metavar="ID")
    usage.add_argument("--by", choices=BY, default="bucket", help="what is summed up")
    usage.add_argument("--bucket", metavar="B", help="of one bucket only")
    usage.add_argument("--depth", metavar="N", type=int, help="levels of prefixes (default: 1)")
    usage.add_argument("--tag", metavar="KEY", help="the tag that it is by")
    for command in (growth, forecast):
        command.add_argument("--bucket", metavar="B", help="of one bucket only")
        command.add_argument("--prefix", metavar="P", help="of all that lies in this folder of it")
    growth.add_argument("--every", choices=EVERY, default="day", help="the period (default: day)")
    growth.add_argument("--depth", metavar="N", type=int, help="of each prefix of so many levels")
    growth.add_argument("--since", metavar="DATE", help="from the period on that this day is in")
    growth.add_argument("--until", metavar="DATE", help="to the period that this day is in")
    forecast.add_argument("--capacity", metavar="BYTES", type=int, help="what it may come to (default: the disk)")
    forecast.add_argument("--days", metavar="N", type=int, default=90, help="of history to go by (default: 90)")
    files.add_argument("--sort", choices=SORTS, default="key")
    files.add_argument("--descending", action="store_true")
    for command in (files, versions):
        add_filters(command)
    for command in (files, versions, delta, growth, find, duplicates, validations):
        command.add_argument("--limit", metavar="N", type=int, default=1000, help="rows of a page (default: 1000)")
        command.add_argument("--after", metavar="NEXT", help="the page behind the one that ended with this")


def add_filters(command: argparse.ArgumentParser) -> None:
    command.add_argument("--prefix", metavar="P", default="")
    command.add_argument("--glob", metavar="G", help="of the key: * is anything, slashes too, ? one character")
    command.add_argument(
        "--tag", metavar="KEY[=VALUE]", action="append", default=[], help="may be given more than once"
    )
    command.add_argument("--metadata", metavar="KEY[=VALUE]", action="append", default=[], help="as --tag")
    command.add_argument("--min-size", metavar="BYTES", type=int)
    command.add_argument("--max-size", metavar="BYTES", type=int)
    command.add_argument("--min-age", metavar="AGE", help="a number with s, m, h, d or w behind it")
    command.add_argument("--max-age", metavar="AGE", help="the same")
    command.add_argument("--content-type", metavar="TYPE", help="as --glob")
    command.add_argument("--storage-class", metavar="CLASS")


def run_stats(given: argparse.Namespace) -> None:
    from catalog.queries import get_version_stats, parse_point

    at = None if given.at is None else parse_point(given.at)
    with reached(given) as catalog:
        found = get_version_stats(catalog, given.bucket, at)
    show(given, asdict(found), [("what", "number"), *asdict(found).items()])


def run_files(given: argparse.Namespace) -> None:
    from catalog.queries import File, list_files, parse_point

    at = None if given.at is None else parse_point(given.at)
    with reached(given) as catalog:
        order = (given.sort, given.descending, at)
        show_page(given, File, list_files(catalog, given.bucket, filter_of(given), *order, given.limit, given.after))


def run_versions(given: argparse.Namespace) -> None:
    from catalog.queries import FileVersion, list_versions

    with reached(given) as catalog:
        found = list_versions(catalog, given.bucket, filter_of(given), given.limit, given.after)
        show_page(given, FileVersion, found)


def run_delta(given: argparse.Namespace) -> None:
    from catalog.queries import Change, compute_version_delta, parse_point

    points = (parse_point(given.since), parse_point(given.until))
    with reached(given) as catalog:
        show_page(given, Change, compute_version_delta(catalog, given.bucket, *points, given.limit, given.after))


def run_usage(given: argparse.Namespace) -> None:
    from catalog.queries import Usage, get_disk_usage, get_storage_usage

    with reached(given) as catalog:
        found = get_storage_usage(catalog, given.by, given.bucket, given.depth, given.tag)
    disk = get_disk_usage(settings_of(given).data)
    if given.json:
        print(as_json({**asdict(found), "disk": asdict(disk)}))
        return
    names = [given.by, *(field.name for field in fields(Usage)[1:])]
    print(table(names, [line(group) for group in found.groups] + [["(all)", *line(found.total)[1:]]]))
    print("\n" + table(("on disk", "bytes"), list(asdict(disk).items())))


def run_growth(given: argparse.Namespace) -> None:
    from catalog.queries import Growth, get_growth

    days = (day("--since", given.since), day("--until", given.until))
    with reached(given) as catalog:
        of = (given.every, given.bucket, given.prefix, given.depth)
        show_page(given, Growth, get_growth(catalog, *of, *days, given.limit, given.after))


def run_forecast(given: argparse.Namespace) -> None:
    from catalog.queries import Ahead, get_forecast, get_free_bytes

    free = get_free_bytes(settings_of(given).data) if given.capacity is None else None
    with reached(given) as catalog:
        found = get_forecast(catalog, given.bucket, given.prefix, given.capacity, free, given.days)
    whole = asdict(found)
    if given.json:
        print(as_json(whole))
        return
    ahead = whole.pop("ahead")
    print(table(("what", "forecast"), [(name, value) for name, value in whole.items() if value is not None]))
    if ahead:
        print("\n" + table([field.name for field in fields(Ahead)], [list(each.values()) for each in ahead]))


def run_find(given: argparse.Namespace) -> None:
    from catalog.queries import Artifact, find_by_artifact_id

    with reached(given) as catalog:
        show_page(given, Artifact, find_by_artifact_id(catalog, given.artifact_id, given.limit, given.after))


def run_duplicates(given: argparse.Namespace) -> None:
    from catalog.queries import Duplicate, find_duplicates

    with reached(given) as catalog:
        show_page(given, Duplicate, find_duplicates(catalog, given.bucket, given.limit, given.after))


def run_validations(given: argparse.Namespace) -> None:
    from catalog.queries import Validation, list_validations

    wanted = (given.bucket, given.prefix, given.check, given.result, time("--since", given.since))
    with reached(given) as catalog:
        show_page(given, Validation, list_validations(catalog, *wanted, given.limit, given.after))


def run_validation_summary(given: argparse.Namespace) -> None:
    from catalog.queries import ValidationSummary, get_validation_summary

    with reached(given) as catalog:
        found = get_validation_summary(catalog, given.bucket, given.check, time("--since", given.since))
    names = [field.name for field in fields(ValidationSummary)]
    rows = [tuple(asdict(each).values()) for each in found]
    show(given, {"items": [asdict(each) for each in found]}, [names, *rows])


@contextmanager
def reached(given: argparse.Namespace) -> Iterator[Reached]:
    from catalog.queries import reach

    with reach(settings_of(given).data) as catalog:
        yield catalog


def filter_of(given: argparse.Namespace) -> FileFilter:
    from catalog.queries import FileFilter

    return FileFilter(
        given.prefix,
        given.glob,
        pairs(given.tag),
        pairs(given.metadata),
        given.min_size,
        given.max_size,
        age("--min-age", given.min_age),
        age("--max-age", given.max_age),
        given.content_type,
        given.storage_class,
    )


def pairs(texts: list[str]) -> Mapping[str, str | None]:
    split = [text.partition("=") for text in texts]
    return {key: value if sign else None for key, sign, value in split}


def age(flag: str, text: str | None) -> timedelta | None:
    if text is None:
        return None
    told = re.fullmatch(r"(\d{1,6})([smhdw])", text, re.ASCII)
    if told is None:
        raise CommandError(f"{flag}: an age is a number with {', '.join(UNITS)} behind it, as 30d; not {text}")
    return timedelta(**{UNITS[told[2]]: int(told[1])})


def time(flag: str, text: str | None) -> datetime | None:
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{flag}: a time is as 2025-10-10 or 2025-10-10T12:30:00, not {text}") from None


def day(flag: str, text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{flag}: a day is written as 2025-10-09, not {text}") from None


def show_page(given: argparse.Namespace, kind: type, page: Page[Any]) -> None:
    names = [field.name for field in fields(kind) if field.name not in WIDE]
    rows = [tuple(getattr(item, name) for name in names) for item in page.items]
    show(given, asdict(page), [names, *rows])
    if page.next is not None and not given.json:
        print(f"\nmore: --after {page.next}")


def show(given: argparse.Namespace, whole: dict[str, Any], rows: list[Any]) -> None:
    print(as_json(whole) if given.json else table(rows[0], rows[1:]))


def as_json(whole: dict[str, Any]) -> str:
    return msgspec.json.format(msgspec.json.encode(whole), indent=2).decode()


def line(usage: Usage) -> list[Any]:
    return list(asdict(usage).values())
