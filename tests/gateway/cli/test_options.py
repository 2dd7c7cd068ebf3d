from __future__ import annotations

import pytest

from gateway.cli import main, parser
from gateway.cli.options import settings_of
from gateway.settings import options


def test_serve_has_a_flag_for_every_setting() -> None:
    texts = {"port": "80", "workers": "2", "keep_alive": "9", "drain_timeout": "9"}
    for option in options():
        text = texts.get(option.name, "some-text")
        given = parser().parse_args(["serve", option.flag, text])
        assert getattr(given, option.name) == text


def test_flags_make_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DUCKET_PORT", "81")
    monkeypatch.setenv("DUCKET_REGION", "variable")
    settings = settings_of(parser().parse_args(["serve", "--port", "80"]))
    assert (settings.port, settings.region) == (80, "variable")


def test_a_bad_setting_is_told_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", "--port", "many"]) == 1
    assert capsys.readouterr().err == "ducket: --port: 'many' is no PORT\n"
