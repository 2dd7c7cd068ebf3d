"""A short round of each kind of input, other ones each day; `python -m conformance.attack.fuzz` is the long form."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from conformance.attack.fuzz import KINDS, OVER_TLS, attack
from conformance.attack.target import Target, under_attack

EXAMPLES = 150
FEWER = 30


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with under_attack(tmp_path_factory.mktemp("attack")) as made:
        yield made


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_that_is_sent_harms_the_server(target: Target, kind: str) -> None:
    attack(target, kind, EXAMPLES, date.today().toordinal())
    assert target.answered


@pytest.fixture(scope="module")
def target_over_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    with under_attack(tmp_path_factory.mktemp("attack-over-tls"), tls=True) as made:
        yield made


@pytest.mark.parametrize("kind", OVER_TLS)
def test_nor_does_it_over_tls(target_over_tls: Target, kind: str) -> None:
    attack(target_over_tls, kind, FEWER, date.today().toordinal())
    assert target_over_tls.answered
