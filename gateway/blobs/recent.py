"""Stretches of blobs that were verified a moment ago: one that many read at once is not verified for each of them."""

from __future__ import annotations

FRESH = 1.0  # seconds
MOST = 10_000  # stretches that are remembered

# A blob, when its file was changed last, and the number of the stretch.
Stretch = tuple[bytes, int, int]


class Recent:
    """Of one process."""

    def __init__(self) -> None:
        self._until: dict[Stretch, float] = {}

    def until(self, stretch: Stretch) -> float:
        """Up to when it need not be verified again, by the event loop's clock; 0.0 if it was not verified."""
        return self._until.get(stretch, 0.0)

    def add(self, stretch: Stretch, until: float) -> None:
        if len(self._until) >= MOST:
            self._until.clear()
        self._until[stretch] = until
