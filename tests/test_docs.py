"""What the README says of commands, options and operations is so, and all of it is said."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from gateway import operations as handlers
from gateway.cli import parser
from gateway.s3.model import operations
from gateway.s3.quirks import SUPERSEDED
from gateway.settings import CONFIG_VARIABLE, Option, options

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text()

handlers.load()


@pytest.mark.parametrize("option", options(), ids=lambda option: option.name)
def test_each_option_has_its_row(option: Option) -> None:
    (row,) = re.findall(rf"^\| `{option.flag}` \|.*$", README, re.MULTILINE)
    _, flag, variable, key, default, meaning, _ = (cell.strip() for cell in row.split("|"))
    assert (flag, variable, key) == (f"`{option.flag}`", f"`{option.variable}`", f"`{option.name}`")
    usual = "yes" if option.default is True else option.default
    assert default == f"`{usual}`" or not usual
    assert meaning.startswith(option.about.help.partition(";")[0])


def test_the_file_is_named_by_flag_and_variable() -> None:
    assert "--config" in README
    assert CONFIG_VARIABLE in README


def commands(within: argparse.ArgumentParser, name: str = "ducket") -> Iterator[tuple[str, argparse.ArgumentParser]]:
    groups = [action for action in within._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield name, within
    for group in groups:
        for each, command in group.choices.items():
            yield from commands(command, f"{name} {each}")


@pytest.mark.parametrize("name, command", commands(parser()), ids=lambda value: value if isinstance(value, str) else "")
def test_each_command_has_its_row_and_takes_a_data_folder(name: str, command: argparse.ArgumentParser) -> None:
    (row,) = re.findall(rf"^\| `{name}\b.*$", README, re.MULTILINE)
    settings = {option.flag for option in options()}
    flags = {flag for action in command._actions for flag in action.option_strings if flag.startswith("--")}
    assert "--data" in flags
    for flag in flags - settings - {"--help", "--config"}:
        assert flag in row


def test_each_operation_is_under_built_or_under_not_built() -> None:
    table, _, rest = README.partition("## Operations")[2].partition("501 NotImplemented")
    built = {name for name, operation in operations.items() if operation.handler}
    assert set(re.findall(r"\b[A-Z]\w+", table)) & set(operations) == built
    assert set(re.findall(r"\b[A-Z]\w+", rest)) & set(operations) == set(operations) - built - SUPERSEDED


def test_what_security_is_said_to_be_tested_by_is_there() -> None:
    named = re.findall(r"`((?:tests|conformance)/[^`]+)`", (ROOT / "SECURITY.md").read_text())
    assert named
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("page", ["SECURITY.md", "docs/reliability.md"])
def test_each_test_that_a_promise_names_is_there(page: str) -> None:
    """By its path, or by the last of it."""
    named = set(re.findall(r"`((?:\w+/)*\w+\.py)`", (ROOT / page).read_text()))
    assert len(named) > 10
    rooms = ("tests", "conformance", "gateway", "catalog")
    there = [f"/{path.relative_to(ROOT)}" for room in rooms for path in (ROOT / room).rglob("*.py")]
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in there)] == []
