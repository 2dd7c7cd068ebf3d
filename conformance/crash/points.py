"""Named points inside the server's work at which a process can be made to die: patched from outside, not built in."""

from __future__ import annotations

import importlib
import json
import os
import signal
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import wraps
from pathlib import Path
from typing import Any

VARIABLE = "CRASH_PLAN"
WORKER = "gateway.worker"
CATALOG = "catalog.database.process"


@dataclass(frozen=True)
class Point:
    """Before or after a call of `target` (module:attribute); `half`: with the first half of a pwritev written.

    A life of the server passes it `often` or hardly ever.
    """

    name: str
    process: str
    target: str
    when: str = "before"
    often: bool = True


POINTS = (
    Point("log about to be written", WORKER, "catalog.batch:Batch.sync"),
    Point("log half written", WORKER, "os:pwritev", "half"),
    Point("log written, not synced", WORKER, "catalog.batch:Batch._write", "after"),
    Point("log synced, index not put", WORKER, "catalog.batch:Batch.sync", "after"),
    Point("index put, nobody answered", WORKER, "catalog.commit:commit", "after"),
    Point("segment full, next not there", WORKER, "catalog.log:Log.open_segment", often=False),
    Point("next segment there, nothing in it", WORKER, "catalog.log:Log.open_segment", "after", often=False),
    Point("body half written", WORKER, "gateway.blobs.store:Blob._append", "after"),
    Point("body written, not in place", WORKER, "gateway.blobs.store:Blob._publish"),
    Point("body in place, not recorded", WORKER, "gateway.blobs.store:Blob._publish", "after"),
    Point("dead bodies about to go", WORKER, "gateway.blobs.store:Blobs.unlink"),
    Point("batch about to be applied", CATALOG, "catalog.database.follower:apply"),
    Point("batch applied, not committed", CATALOG, "catalog.database.tables.applied:advance", "after"),
    Point("batch committed", CATALOG, "catalog.database.follower:apply", "after"),
    Point("segment laid out, not named", CATALOG, "pathlib:Path.rename", often=False),
    Point("segment dropped, index not told", CATALOG, "catalog.log:Log.drop", "after", often=False),
    Point("bodies about to be moved", CATALOG, "catalog.compaction:commit", often=False),
    Point("moved bodies half written", CATALOG, "os:pwritev", "half", often=False),
    Point("moved bodies logged, index not put", CATALOG, "catalog.batch:Batch.sync", "after", often=False),
    Point("bodies moved", CATALOG, "catalog.compaction:commit", "after", often=False),
    Point("segment emptied, about to go", CATALOG, "catalog.log:Log.drop", often=False),
)
# Passed once each time a folder is opened whose index has to be made anew.
AT_OPENING = (
    Point("index about to be made anew", CATALOG, "catalog.opening:rebuild"),
    Point("index made anew, not claimed", CATALOG, "catalog.opening:rebuild", "after"),
    Point("index about to be claimed", CATALOG, "catalog.folder:Folder.claim_index"),
    Point("index claimed", CATALOG, "catalog.folder:Folder.claim_index", "after"),
)


@dataclass(frozen=True)
class Plan:
    """Die at the `count`th passing of a point, once: whoever takes the `flag` file away is the one.

    `whole`: the supervisor and all its processes die with it.
    """

    point: Point
    count: int
    flag: str
    whole: bool

    def environment(self) -> dict[str, str]:
        return {VARIABLE: json.dumps(asdict(self))}

    @classmethod
    def given(cls) -> Plan | None:
        fields = json.loads(os.environ.get(VARIABLE, "null"))
        return fields and cls(**fields | {"point": Point(**fields["point"])})

    def arm(self) -> None:
        """Patch this process."""
        owner, name, original = resolve(self.point.target)
        setattr(owner, name, self._deadly(original))

    def _deadly(self, original: Callable[..., Any]) -> Callable[..., Any]:
        passed = 0

        @wraps(original)
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal passed
            passed += 1
            due = passed >= self.count
            if due and self.point.when == "before":
                self.die()
            if due and self.point.when == "half":
                write_half(*arguments)
                self.die()
            result = original(*arguments, **named)
            if due and self.point.when == "after":
                self.die()
            return result

        return call

    def die(self) -> None:
        """Where somebody else died by the plan already, live on."""
        try:
            Path(self.flag).unlink()
        except FileNotFoundError:
            return
        if self.whole:
            kill_family(os.getppid())
        os.kill(os.getpid(), signal.SIGKILL)


def resolve(target: str) -> tuple[Any, str, Callable[..., Any]]:
    """Where a target is kept, under what name, and what it is now."""
    module, _, path = target.partition(":")
    owner: Any = importlib.import_module(module)
    *owners, name = path.split(".")
    for each in owners:
        owner = getattr(owner, each)
    return owner, name, getattr(owner, name)


def write_half(descriptor: int, buffers: list[bytes], offset: int) -> None:
    data = b"".join(buffers)
    os.pwrite(descriptor, data[: len(data) // 2], offset)


def kill_family(parent: int) -> None:
    """A supervisor and all its children, but for the process that calls."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    for pid in [parent, *map(int, children)]:
        if pid != os.getpid():
            os.kill(pid, signal.SIGKILL)
