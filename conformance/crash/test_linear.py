"""The checker itself, on histories of which it is known whether they are linearizable."""

from __future__ import annotations

import pytest

from conformance.crash.linear import FOREVER, Call, Value, is_linearizable


def read(began: float, ended: float, told: Value) -> Call:
    return Call("read", began, ended, told)


def write(began: float, ended: float, put: Value) -> Call:
    return Call("write", began, ended, put=put)


def first(began: float, ended: float, put: Value, refused: bool = False) -> Call:
    return Call("write", began, ended, put=put, only_if=None, refused=refused)


GOOD = {
    "nothing": [],
    "one after another": [write(0, 1, "a"), read(2, 3, "a"), write(4, 5, None), read(6, 7, None)],
    "a read during a write sees the old": [write(0, 9, "a"), read(1, 2, None)],
    "a read during a write sees the new": [write(0, 9, "a"), read(1, 2, "a")],
    "two reads, the write between them": [write(0, 9, "a"), read(1, 2, None), read(3, 4, "a")],
    "of two writes at once either is last": [write(0, 9, "a"), write(0, 9, "b"), read(10, 11, "a")],
    "one of two is the first": [first(0, 9, "a"), first(0, 9, "b", refused=True), read(10, 11, "a")],
    "never answered, and done late": [write(0, FOREVER, "a"), read(1, 2, None), read(30, 31, "a")],
    "never answered, never done": [write(0, FOREVER, "a"), read(1, 2, None), read(30, 31, None)],
    "never answered, refused": [write(0, 1, "b"), first(2, FOREVER, "a"), read(30, 31, "b")],
}
BAD = {
    "a write lost": [write(0, 1, "a"), read(2, 3, None)],
    "a stale read": [write(0, 1, "a"), write(2, 3, "b"), read(4, 5, "a")],
    "new, then old": [write(0, 9, "a"), read(1, 2, "a"), read(3, 4, None)],
    "out of nowhere": [write(0, 1, "a"), read(2, 3, "b")],
    "deleted, and back": [write(0, 1, "a"), write(2, 3, None), read(4, 5, "a")],
    "two readers see two orders": [
        write(0, 9, "a"),
        write(0, 9, "b"),
        read(10, 11, "a"),
        read(12, 13, "b"),
    ],
    "two are the first": [first(0, 9, "a"), first(0, 9, "b")],
    "refused, though nothing was there": [first(0, 1, "a", refused=True)],
    "the refused was done": [first(0, 1, "a"), first(2, 3, "b", refused=True), read(4, 5, "b")],
    "the last of two, before either": [read(0, 1, "a"), write(2, 3, "a")],
    "never answered, done, and undone": [write(0, FOREVER, "a"), read(1, 2, "a"), read(3, 4, None)],
}


@pytest.mark.parametrize("name", GOOD)
def test_good_histories(name: str) -> None:
    assert is_linearizable(GOOD[name])


@pytest.mark.parametrize("name", BAD)
def test_bad_histories(name: str) -> None:
    assert not is_linearizable(BAD[name])
