"""`ducket user create|list|delete`: at once in force in every worker, and good without a server too."""

from __future__ import annotations

import argparse
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from catalog import Catalog
from catalog.errors import NoUser, UserExists
from catalog.records import Origin, User
from gateway.access import ROOT_ID
from gateway.cli.options import CommandError, Commands, add_settings, settings_of
from gateway.cli.table import table
from gateway.rootkey import new_access_key, new_secret_key
from gateway.settings import Settings

PLAIN = re.compile(r"[\w.+=@-]{1,128}", re.ASCII)
ACCESS_KEY = re.compile(r"\w{3,128}", re.ASCII)
SECRET_KEY = re.compile(r"[!-~]{8,128}")
ORIGIN = Origin(requester=ROOT_ID)


def add(commands: Commands) -> None:
    group = commands.add_parser("user", help="make, list and delete users")
    actions = group.add_subparsers(metavar="ACTION", required=True)
    create = actions.add_parser("create", help="make a user and print its keys")
    create.add_argument("name", metavar="NAME")
    create.add_argument("--access-key", metavar="K", help="made if not given")
    create.add_argument("--secret-key", metavar="S", help="made if not given")
    create.add_argument("--display-name", metavar="D", default="")
    create.add_argument("--email", metavar="E", default="")
    create.add_argument("--id", metavar="ID", help="canonical owner id that clients see; made if not given")
    create.set_defaults(run=run_create)
    listing = actions.add_parser("list", help="list the users")
    listing.set_defaults(run=run_list)
    delete = actions.add_parser("delete", help="delete a user; the buckets stay")
    delete.add_argument("name", metavar="NAME")
    delete.set_defaults(run=run_delete)
    for action in (create, listing, delete):
        add_settings(action, only=["data"])


def run_create(given: argparse.Namespace) -> None:
    user = User(
        id=given.id or secrets.token_hex(32),
        name=given.name,
        access_key=given.access_key or new_access_key(),
        secret_key=given.secret_key or new_secret_key(),
        display_name=given.display_name,
        email=given.email,
    )
    settings = settings_of(given)
    check(user, settings)
    with opened(settings) as catalog:
        try:
            made = catalog.create_user(ORIGIN, user)
        except UserExists as taken:
            raise CommandError(f"there is a user with the {taken.field} {taken.value} already") from None
    print(f"id: {made.id}\naccess key: {made.access_key}\nsecret key: {made.secret_key}")


def run_list(given: argparse.Namespace) -> None:
    with opened(settings_of(given)) as catalog:
        users = sorted(catalog.users(), key=lambda user: user.name)
    rows = [(user.name, user.access_key, user.display_name, user.email, user.id) for user in users]
    print(table(("name", "access key", "display name", "email", "id"), rows))


def run_delete(given: argparse.Namespace) -> None:
    with opened(settings_of(given)) as catalog:
        try:
            catalog.delete_user(ORIGIN, given.name)
        except NoUser:
            raise CommandError(f"there is no user {given.name}") from None


@contextmanager
def opened(settings: Settings) -> Iterator[Catalog]:
    catalog = Catalog.open(settings.data)
    try:
        yield catalog
    finally:
        catalog.release()


def check(user: User, settings: Settings) -> None:
    refuse_unless(PLAIN.fullmatch(user.name), "a name", "1 to 128 letters, digits and .+=@_-")
    refuse_unless(PLAIN.fullmatch(user.id), "an id", "1 to 128 letters, digits and .+=@_-")
    refuse_unless(ACCESS_KEY.fullmatch(user.access_key), "an access key", "3 to 128 letters, digits and _")
    refuse_unless(SECRET_KEY.fullmatch(user.secret_key), "a secret key", "8 to 128 characters, no spaces")
    if user.name == "root" or user.id == ROOT_ID or user.access_key == settings.root_access_key:
        raise CommandError("root is there already: its key is a setting, or in root.key of the data folder")


def refuse_unless(holds: object, what: str, rule: str) -> None:
    if not holds:
        raise CommandError(f"{what} is {rule}")
