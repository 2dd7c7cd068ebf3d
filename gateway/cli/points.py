"""`ducket version set|get|list|latest`: names for points in a bucket's history."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gateway.cli.catalog import as_json, reached
from gateway.cli.options import Commands, add_settings
from gateway.cli.table import table


def add(commands: Commands) -> None:
    group = commands.add_parser("version", help="names for points in a bucket's history")
    actions = group.add_subparsers(metavar="ACTION", required=True)
    setting = actions.add_parser("set", help="give a name to what a bucket holds, or held")
    getting = actions.add_parser("get", help="the point that has a name")
    listing = actions.add_parser("list", help="all names of a bucket")
    latest = actions.add_parser("latest", help="the last mutation in a bucket")
    for command, run in ((setting, run_set), (getting, run_get), (listing, run_list), (latest, run_latest)):
        command.set_defaults(run=run)
        command.add_argument("bucket", metavar="BUCKET")
        command.add_argument("--json", action="store_true", help="write JSON")
        add_settings(command, only=["data"])
    for command in (setting, getting):
        command.add_argument("name", metavar="NAME")
    setting.add_argument("--at", metavar="POINT", default="latest", help="a sequence number, a time (UTC) or a name")


def run_set(given: argparse.Namespace) -> None:
    from catalog.queries import parse_point, set_point

    with reached(given) as catalog:
        show(given, asdict(set_point(catalog, given.bucket, given.name, parse_point(given.at))))


def run_get(given: argparse.Namespace) -> None:
    from catalog.queries import get_point

    with reached(given) as catalog:
        show(given, asdict(get_point(catalog, given.bucket, given.name)))


def run_list(given: argparse.Namespace) -> None:
    from catalog.queries import list_points

    with reached(given) as catalog:
        found = [asdict(point) for point in list_points(catalog, given.bucket)]
    print(as_json({"items": found}) if given.json else table(("bucket", "name", "seq", "creation_date"), values(found)))


def run_latest(given: argparse.Namespace) -> None:
    from catalog.queries import latest_point

    with reached(given) as catalog:
        show(given, asdict(latest_point(catalog, given.bucket)))


def show(given: argparse.Namespace, point: dict[str, Any]) -> None:
    print(as_json(point) if given.json else table(list(point), values([point])))


def values(points: Sequence[dict[str, Any]]) -> list[list[Any]]:
    return [list(point.values()) for point in points]
