"""`ducket notifications`: how far event notifications are."""

from __future__ import annotations

import argparse
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.table import table
from gateway.notifications.progress import Progress, load
from gateway.notifications.webhook import Target, targets
from gateway.settings import Settings

DELIVERING, FAILING, WAITING, UNDEFINED = "delivering", "failing", "never begun", "not in these settings"


@dataclass(frozen=True)
class Row:
    """`lag` is how many mutations are yet to be looked at for events."""

    target: str
    arn: str
    endpoint: str
    state: str
    delivered: int | None
    lag: int | None
    messages: int
    delivered_at: str | None
    failures: int
    failing_since: str | None
    last_error: str | None


def add(commands: Commands) -> None:
    group = commands.add_parser("notifications", help="how far event notifications are")
    actions = group.add_subparsers(metavar="ACTION", required=True)
    status = actions.add_parser("status", help="each target: how far it is, and what went wrong last")
    status.set_defaults(run=run_status)
    status.add_argument("--json", action="store_true", help="print it as JSON")
    add_settings(status, only=["data", "notify_webhook"])


def run_status(given: argparse.Namespace) -> None:
    rows = described(settings_of(given))
    if given.json:
        print(msgspec.json.encode([asdict(row) for row in rows]).decode())
        return
    names = ("target", "state", "delivered", "lag", "messages", "last", "failures", "last error", "endpoint", "arn")
    shown = [
        (
            *(row.target, row.state, text(row.delivered), text(row.lag), f"{row.messages:,}", row.delivered_at or ""),
            *(f"{row.failures:,}", row.last_error or "", row.endpoint, row.arn),
        )
        for row in rows
    ]
    print(table(names, shown))


def described(settings: Settings) -> list[Row]:
    """Of the targets that the settings name, as the command was given them, and of those that there were."""
    defined, told = {target.name: target for target in targets(settings)}, load(settings.data)
    if not defined and not told:
        raise CommandError("no target of event notifications is defined: see --notify-webhook")
    end = last(settings.data)
    return [row(name, defined.get(name), told.get(name), end) for name in sorted({*defined, *told})]


def row(name: str, target: Target | None, told: Progress | None, end: int) -> Row:
    endpoint, arn = (target.place, target.arn) if target is not None else ("", "")
    if told is None:
        return Row(name, arn, endpoint, WAITING, None, None, 0, None, 0, None, None)
    state = FAILING if told.failures else DELIVERING
    return Row(
        name,
        arn,
        endpoint,
        state if target is not None else UNDEFINED,
        told.delivered,
        max(end - told.delivered, 0),
        told.messages,
        time(told.delivered_at),
        told.failures,
        time(told.failing_since),
        told.error or None,
    )


def last(data: Path) -> int:
    """The last mutation acknowledged."""
    from catalog.database.client import status

    return status(data).end.seq


def time(seconds: float) -> str | None:
    return datetime.fromtimestamp(seconds, UTC).isoformat(sep=" ", timespec="seconds") if seconds else None


def text(number: int | None) -> str:
    return "" if number is None else f"{number:,}"
