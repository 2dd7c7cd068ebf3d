"""`ducket serve`."""

from __future__ import annotations

import argparse
import asyncio

from gateway import logging
from gateway.child import StartFailed
from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.supervisor import Supervisor


def add(commands: Commands) -> None:
    command = commands.add_parser("serve", help="run the server on a data folder")
    add_settings(command)
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    supervisor = Supervisor(lambda: settings_of(given), announce)
    logging.configure()
    try:
        asyncio.run(supervisor.run())
    except StartFailed as failure:
        raise CommandError(str(failure)) from None


def announce(line: str) -> None:
    print(line, flush=True)
