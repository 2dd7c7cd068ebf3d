"""How far writers may run ahead of the database, which is filled from the log behind them.

What waits lies in the log, on the disk: it takes no memory, but no segment of it can go, SQL has to wait for all of
it, and a lost index takes so much longer to make anew. So writers slow down to what the database can take.
"""

from __future__ import annotations

SLOWING = 1_000_000  # mutations not yet applied, from which on batches wait before they are committed
MOST = 50_000_000  # beyond which nothing is written: hours, where the catalog process cannot run
LONGEST = 0.1  # seconds a batch waits, from twice SLOWING on


def pause(lag: int) -> float:
    """Seconds that the next batch of a process is to wait."""
    return LONGEST * min(max(lag - SLOWING, 0) / SLOWING, 1.0)
