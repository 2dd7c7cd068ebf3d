"""`ducket doctor`."""

from __future__ import annotations

import argparse

from gateway.cli.options import Commands, add_settings, settings_of
from gateway.cli.table import table


def add(commands: Commands) -> None:
    command = commands.add_parser("doctor", help="say what is wrong with the installation or the data folder")
    add_settings(command, only=["data"])
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    from gateway.doctor import examine
    from gateway.encryption import keyring

    settings = settings_of(given)
    found = list(examine(settings.data, keyring(settings)))
    print(table(("", "about", "finding"), [(word.level, word.about, word.says) for word in found]))
    return int(any(word.level == "wrong" for word in found))
