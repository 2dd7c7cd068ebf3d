"""A short round of each kind of input, other ones each day; `python -m conformance.attack.fuzz` is the long form."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from conformance.attack.fuzz import KINDS, attack
from conformance.attack.target import Target, under_attack

EXAMPLES = 150


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with under_attack(tmp_path_factory.mktemp("attack")) as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_sent_harms_the_server(target: Target, kind: str) -> None:
    attack(target, kind, EXAMPLES, date.today().toordinal())
    assert target.answered
