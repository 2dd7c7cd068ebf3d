"""Users by access key. The secret key stands in `entry` alone, which no view shows."""

from __future__ import annotations

import duckdb
import msgspec

from catalog.database.columns import BYTES, TEXT, TIME, Row, insert, schema
from catalog.records import User

COLUMNS = schema(id=TEXT, name=TEXT, access_key=TEXT, display_name=TEXT, email=TEXT, created=TIME, entry=BYTES)

_encode = msgspec.msgpack.Encoder().encode


def row(user: User) -> Row:
    return user.id, user.name, user.access_key, user.display_name, user.email, user.created, _encode(user)


def replace(connection: duckdb.DuckDBPyConnection, changed: dict[str, User | None]) -> None:
    """Each access key's user as it is from now on; None where it was removed."""
    if changed:
        connection.execute("DELETE FROM private.users WHERE access_key IN ?", [list(changed)])
    insert(connection, "private.users", COLUMNS, [row(user) for user in changed.values() if user is not None])
