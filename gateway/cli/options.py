"""What the commands' arguments have in common."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import Any

from gateway.settings import CONFIG_FILE, Settings, load, options

Commands = Any  # argparse names its type privately


class CommandError(Exception):
    """What a command was asked for cannot be done; the text says why."""


def add_settings(command: argparse.ArgumentParser, only: Iterable[str] = ()) -> None:
    """A flag for each setting, or for those named. None stands for not given, so that a variable may."""
    wanted = set(only)
    for option in options():
        if not wanted or option.name in wanted:
            help = option.about.help + usual(option.default)
            command.add_argument(option.flag, dest=option.name, metavar=option.about.metavar, help=help)
    help = f"file with settings (default: {CONFIG_FILE}, if there is one)"
    command.add_argument("--config", metavar="FILE", help=help)


def usual(default: object) -> str:
    if isinstance(default, bool):
        return f" (default: {'yes' if default else 'no'})"
    return f" (default: {default})" if default not in ("", ()) else ""


def settings_of(given: argparse.Namespace) -> Settings:
    names = [option.name for option in options()] + ["config"]
    return load({name: getattr(given, name, None) for name in names})
