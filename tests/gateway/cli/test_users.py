from __future__ import annotations

from pathlib import Path

import pytest

from catalog import Catalog
from gateway.cli import main


def test_a_user_is_made_with_what_was_given(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = ["--access-key", "ALICE0000000", "--secret-key", "alice/secret+key=", "--id", "a" * 64]
    assert main(["user", "create", "alice", *keys, "--display-name", "Alice A.", "--email", "a@example.com"]) == 0
    assert "ALICE0000000" in capsys.readouterr().out
    catalog = Catalog.open(data)
    found = catalog.user("ALICE0000000")
    catalog.release()
    assert found is not None
    assert (found.id, found.secret_key, found.display_name) == ("a" * 64, "alice/secret+key=", "Alice A.")


def test_what_was_not_given_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["user", "create", "bob"]) == 0
    printed = dict(line.split(": ") for line in capsys.readouterr().out.splitlines())
    assert {name: len(value) for name, value in printed.items()} == {"id": 64, "access key": 20, "secret key": 40}


def test_users_are_listed_without_their_secrets(capsys: pytest.CaptureFixture[str]) -> None:
    main(["user", "create", "alice", "--secret-key", "secret-of-alice"])
    main(["user", "create", "bob"])
    capsys.readouterr()
    assert main(["user", "list"]) == 0
    printed = capsys.readouterr().out
    assert [line.split()[0] for line in printed.splitlines()[2:]] == ["alice", "bob"]
    assert "secret-of-alice" not in printed


def test_a_user_is_deleted_once(capsys: pytest.CaptureFixture[str]) -> None:
    main(["user", "create", "alice"])
    assert main(["user", "delete", "alice"]) == 0
    assert main(["user", "delete", "alice"]) == 1
    assert "there is no user alice" in capsys.readouterr().err


@pytest.mark.parametrize("more", [["alice"], ["other", "--access-key", "ALICE0000000"], ["other", "--id", "an-id"]])
def test_what_is_taken_is_refused(capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    main(["user", "create", "alice", "--access-key", "ALICE0000000", "--id", "an-id"])
    assert main(["user", "create", *more]) == 1
    assert "already" in capsys.readouterr().err


@pytest.mark.parametrize(
    "more",
    [
        ["root"],
        ["with space"],
        [""],
        ["x", "--access-key", "a/b"],
        ["x", "--access-key", "ab"],
        ["x", "--secret-key", "short"],
        ["x", "--secret-key", "with a space"],
        ["x", "--id", "<id>"],
    ],
)
def test_what_would_not_work_is_refused(capsys: pytest.CaptureFixture[str], more: list[str]) -> None:
    assert main(["user", "create", *more]) == 1
    assert capsys.readouterr().err.startswith("ducket: ")


def test_the_key_of_root_is_not_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUCKET_ROOT_ACCESS_KEY", "ROOTKEY")
    monkeypatch.setenv("DUCKET_ROOT_SECRET_KEY", "root-secret-key")
    assert main(["user", "create", "alice", "--access-key", "ROOTKEY"]) == 1
