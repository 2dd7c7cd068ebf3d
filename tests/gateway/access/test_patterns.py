from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.access.patterns import Unresolved, compile_pattern, matcher, tokens_of
from tests.gateway.access.asking import ask

CHARACTERS = st.text("ab/*?é", max_size=12)


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("a*", "a", True),
        ("*a", "ba", True),
        ("*a", "ab", False),
        ("a*a", "a", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*bc*c", "abcc", True),
        ("a*bc*c", "abc", False),
        ("?", "", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("*?b?*", "abc", True),
        ("*?b?*", "bc", False),
        ("logs/*", "logs/", True),
        ("logs/*", "log", False),
        ("a.c", "abc", False),
    ],
)
def test_stars_and_question_marks(pattern: str, text: str, fits: bool) -> None:
    assert matcher(tokens_of(pattern, wild=True, variables=False))(text) is fits


@given(CHARACTERS, CHARACTERS)
def test_any_pattern_is_what_it_would_be_as_a_regular_expression(pattern: str, text: str) -> None:
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    found = matcher(tokens_of(pattern, wild=True, variables=False))(text)
    assert found == bool(re.fullmatch(expression, text, re.DOTALL))


def test_many_stars_take_no_time() -> None:
    assert not matcher(tokens_of("*a" * 200 + "b", wild=True, variables=False))("a" * 1024)


def test_a_variable_is_what_the_request_says() -> None:
    matches = compile_pattern("home/${aws:username}/*", wild=True, variables=True)
    assert matches("home/bob/file", ask())
    assert not matches("home/alice/file", ask())


def test_a_star_that_a_variable_stands_for_is_a_character() -> None:
    matches = compile_pattern("${aws:Referer}/*", wild=True, variables=True)
    assert matches("*/a", ask(referer="*"))
    assert not matches("b/a", ask(referer="*"))


def test_characters_that_would_mean_something() -> None:
    matches = compile_pattern("${*}${?}${$}", wild=True, variables=True)
    assert matches("*?$", ask())
    assert not matches("ab$", ask())


def test_a_variable_without_a_value() -> None:
    with pytest.raises(Unresolved):
        compile_pattern("${aws:Referer}", wild=True, variables=True)("x", ask())
    assert compile_pattern("${aws:Referer, 'none'}", wild=True, variables=True)("none", ask())


def test_a_variable_that_there_is_not() -> None:
    with pytest.raises(ValueError, match="aws:shoe-size"):
        compile_pattern("${aws:shoe-size}", wild=True, variables=True)


def test_without_variables_the_text_is_as_it_stands() -> None:
    assert compile_pattern("${aws:username}", wild=True, variables=False)("${aws:username}", ask())
