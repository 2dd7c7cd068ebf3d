"""What a moved body makes of the records that name it."""

from __future__ import annotations

import msgspec

from catalog.records import BodyMoved, Part, Version


def relocated(version: Version, move: BodyMoved) -> Version:
    """The version with the body's new place wherever it names the old one."""
    if version.body == move.old:
        return msgspec.structs.replace(version, body=move.new)
    if not isinstance(version.parts, list):
        return version
    return msgspec.structs.replace(version, parts=[relocated_part(part, move) for part in version.parts])


def relocated_part(part: Part, move: BodyMoved) -> Part:
    return msgspec.structs.replace(part, piece=move.new) if part.piece == move.old else part
