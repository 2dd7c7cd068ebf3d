"""The independent record: what was acknowledged of each key, and what else it may be where an answer never came."""

from __future__ import annotations

from dataclasses import dataclass, field

from conformance.crash.client import Body

Key = tuple[str, str]  # bucket and key


@dataclass(frozen=True)
class Entry:
    """A version, or with no `body` a delete marker. None for what nobody was told."""

    body: Body | None
    version_id: str | None = None
    etag: str | None = None


State = tuple[Entry, ...]  # the versions of a key, newest first
ABSENT: State = ()


@dataclass
class Upload:
    """An upload that was begun; `parts` holds the ETags that each part may have (None: it may be missing)."""

    parts: dict[int, set[str | None]] = field(default_factory=dict)
    contents: dict[int, bytes] = field(default_factory=dict)
    ending: bool = False  # nobody knows whether it was completed or aborted

    @property
    def certain(self) -> bool:
        return not self.ending and all(len(etags) == 1 for etags in self.parts.values())


@dataclass
class Ledger:
    """Of one writer, whose keys nobody else touches. Carried from one life of the server to the next."""

    states: dict[Key, tuple[State, ...]] = field(default_factory=dict)
    uploads: dict[tuple[str, str, str], Upload] = field(default_factory=dict)
    strays: int = 0  # uploads that may have been begun without anybody knowing their ids
    claims: dict[Key, tuple[Body, bool]] = field(default_factory=dict)  # of keys for all: what was put, if for certain
    acknowledged: int = 0

    def known(self, key: Key) -> State | None:
        """The state of a key; None while an answer is missing."""
        states = self.states.get(key, (ABSENT,))
        return states[0] if len(states) == 1 else None

    def begin(self, key: Key, after: State) -> None:
        """Until `settle` says how it went, the key may be as it was or as `after` has it."""
        self.states[key] = (*self.states.get(key, (ABSENT,)), after)

    def settle(self, key: Key, state: State) -> None:
        self.states[key] = (state,)

    def acknowledge(self, key: Key, state: State) -> None:
        self.settle(key, state)
        self.acknowledged += 1

    @property
    def in_doubt(self) -> int:
        """How many writes nobody answered."""
        uploads = sum(not each.certain for each in self.uploads.values())
        claims = sum(not certain for _, certain in self.claims.values())
        return sum(len(states) > 1 for states in self.states.values()) + uploads + claims + self.strays
