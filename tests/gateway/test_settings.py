from __future__ import annotations

from pathlib import Path

import pytest

from gateway.settings import Option, Settings, SettingsError, dump, load, options, undump

NUMBERS = {
    "workers": "3",
    "port": "81",
    "max_connections": "4",
    "max_requests": "5",
    "max_commits": "6",
    "max_key_rate": "7",
    "sql_seconds": "10",
    "sql_rows": "11",
    "sql_memory": "12",
    "sql_threads": "13",
    "compaction_rate": "14",
    "lifecycle_rate": "17",
    "lifecycle_day": "18",
    "scrub_rate": "15",
    "scrub_days": "16",
    "scrub_repair": "true",
    "block_public_access": "false",
    "access_log_days": "15",
    "access_log_delivery": "19",
    "keep_alive": "7",
    "request_timeout": "9",
    "drain_timeout": "8",
}
NAMES = {
    "object_ownership": "ObjectWriter",
    "sse_c_over_http": "never",
    "notify_webhook": "hook=http://hook.example/",
    "notify_token": "hook=secret",
}


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_without_anything_given_the_defaults_hold() -> None:
    assert load({}, {}) == Settings()


def test_flag_beats_variable_beats_file() -> None:
    Path("ducket.toml").write_text("port = 1\nregion = 'file'\nhost = 'file'\n")
    variables = {"DUCKET_PORT": "2", "DUCKET_REGION": "variable"}
    settings = load({"port": "3", "region": None}, variables)
    assert (settings.port, settings.region, settings.host) == (3, "variable", "file")


@pytest.mark.parametrize("option", options(), ids=lambda option: option.name)
def test_every_option_is_a_flag_a_variable_and_a_key(option: Option) -> None:
    name = option.name
    given = (NUMBERS | NAMES).get(name, "some-text")
    pairs = (
        {"root_access_key": "k" * 20, "root_secret_key": "s" * 40},
        {"tls_cert": "c.pem", "tls_key": "k.pem"},
        {each: NAMES[each] for each in ("notify_token", "notify_webhook")},
    )
    both = next((pair for pair in pairs if name in pair), {})
    by_flag = load(both | {name: given}, {})
    by_variable = load(both, {option.variable: given})
    assert getattr(by_flag, name) != getattr(Settings(), name)
    if name not in both:
        assert by_variable == by_flag
        Path("ducket.toml").write_text(f"{name} = {given if name in NUMBERS else repr(given)}\n")
        assert load({}, {}) == by_flag


def test_names_are_separated_by_commas_or_a_list() -> None:
    Path("named.toml").write_text("domains = ['S3.example.com', 'localhost']\n")
    expected = ("s3.example.com", "localhost")
    assert load({"domains": " S3.example.com, localhost,"}, {}).domains == expected
    assert load({"config": "named.toml"}, {}).domains == expected
    assert load({}, {"DUCKET_CONFIG": "named.toml"}).domains == expected


def test_pairs_are_separated_by_commas_or_a_table() -> None:
    Path("named.toml").write_text("[notify_webhook]\nA_1 = 'http://h:80/?x=y'\nb = 'https://[::1]/'\n")
    expected = (("A_1", "http://h:80/?x=y"), ("b", "https://[::1]/"))
    assert load({"notify_webhook": " A_1=http://h:80/?x=y, b = https://[::1]/,"}, {}).notify_webhook == expected
    assert load({"config": "named.toml"}, {}).notify_webhook == expected


@pytest.mark.parametrize(
    "given",
    [
        {"notify_webhook": given}
        for given in (
            *("hook", "=http://h/", "hook=", "a=http://h/,a=http://h/", "a b=http://h/", "a=ftp://h/", "a=http:///"),
            *("a=file:///etc/passwd", "a=//h/", "a=http://user:secret@h/", "a=http://h:70000/", "a=http://h:0/"),
        )
    ]
    + [{"notify_webhook": "a=http://h/", "notify_token": "b=secret"}],
    ids=str,
)
def test_what_is_no_target_is_refused(given: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match="notify"):
        load(given, {})


def test_a_key_that_nobody_knows_is_refused() -> None:
    Path("ducket.toml").write_text("prot = 9000\n")
    with pytest.raises(SettingsError, match=r"ducket\.toml: unknown key prot"):
        load({}, {})


@pytest.mark.parametrize(
    "text",
    ["port = 'many'", "port = true", "host = 5", "domains = [1]", "port = 70000", "][", "object_ownership = 'x'"],
)
def test_a_value_that_does_not_fit_is_refused(text: str) -> None:
    Path("ducket.toml").write_text(text)
    with pytest.raises(SettingsError):
        load({}, {})


def test_the_error_says_where_the_value_came_from() -> None:
    with pytest.raises(SettingsError, match="DUCKET_PORT: 'x'"):
        load({}, {"DUCKET_PORT": "x"})
    with pytest.raises(SettingsError, match="--port: 'x'"):
        load({"port": "x"}, {})


def test_the_error_shows_no_secret() -> None:
    with pytest.raises(SettingsError, match=r"^DUCKET_NOTIFY_TOKEN: what was given is no NAME=TOKEN$"):
        load({}, {"DUCKET_NOTIFY_TOKEN": "secret"})


def test_a_file_that_is_named_has_to_be_there() -> None:
    with pytest.raises(SettingsError, match="absent"):
        load({"config": "absent"}, {})


def test_half_a_root_key_is_refused() -> None:
    with pytest.raises(SettingsError, match="both or neither"):
        load({"root_access_key": "k"}, {})


def test_a_worker_gets_the_settings_as_they_are() -> None:
    settings = Settings(data=Path("some where"), domains=("a.b", "c"), port=0, root_access_key="k", root_secret_key="ü")
    assert undump(dump(settings)) == settings
    settings = Settings(notify_webhook=(("a", "http://h/"), ("b", "http://h/")), notify_token=(("a", "t"),))
    assert undump(dump(settings)) == settings


def test_workers_are_as_many_as_cores_unless_told() -> None:
    assert 1 <= Settings().worker_count <= 4
    assert Settings(workers=7).worker_count == 7
