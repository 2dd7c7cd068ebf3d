"""The long form: `python -m conformance.attack.fuzz EXAMPLES` sends so many inputs of each kind and counts."""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from conformance.attack import inputs
from conformance.attack.documents import documents
from conformance.attack.forms import forms
from conformance.attack.target import Target, under_attack

Strategy = Callable[..., st.SearchStrategy[Any]]

KINDS: dict[str, Strategy] = {
    "headers": inputs.headers_signed,
    "presigned": inputs.queries_signed,
    "chunks": inputs.chunks,
    "documents": documents,
    "calls": inputs.calls,
    "forms": forms,
    "lines": inputs.lines,
}
OVER_TLS: dict[str, Strategy] = KINDS | {"hellos": inputs.hellos}
THROWN = {"lines": Target.throw, "hellos": Target.knock}  # bytes; all others are requests


def main() -> None:
    parser = argparse.ArgumentParser(prog="fuzz", description=__doc__)
    parser.add_argument("examples", type=int, help="how many inputs of each kind")
    parser.add_argument("--only", choices=OVER_TLS, help="one kind alone")
    parser.add_argument("--tls", action="store_true", help="over TLS, and handshakes too")
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    wanted = parser.parse_args()
    print(f"seed {wanted.seed}", flush=True)
    for kind in [wanted.only] if wanted.only else OVER_TLS if wanted.tls else KINDS:
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder, under_attack(Path(folder), wanted.tls) as target:
            attack(target, kind, wanted.examples, wanted.seed)
            counts = ", ".join(f"{count} x {status}" for status, count in sorted(target.answered.items()))
        print(f"{kind}: {counts} ({time.monotonic() - began:.0f} s)", flush=True)


def attack(target: Target, kind: str, examples: int, start: int) -> None:
    """Raises Harm, with the smallest input found that does it."""
    strategy = OVER_TLS[kind]() if kind in THROWN else OVER_TLS[kind](target.raw)
    send = partial(THROWN.get(kind, Target.ask), target)

    @seed(start)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def each(sent: Any) -> None:
        send(sent)

    each()
    target.check()


if __name__ == "__main__":
    main()
