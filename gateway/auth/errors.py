"""What is raised and caught within the room."""

from __future__ import annotations


class TooLong(Exception):
    """To be remembered: what raises is not."""
