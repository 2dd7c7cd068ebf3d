from __future__ import annotations

from argparse import ArgumentTypeError

import pytest

from bench.compare import endpoint
from bench.targets import Endpoint


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("ours=http://K:S@localhost:9000", Endpoint("ours", "localhost", 9000, "K", "S")),
        ("http://K:a%2Fb%40@10.0.0.1:80", Endpoint("10.0.0.1:80", "10.0.0.1", 80, "K", "a/b@")),
        ("g=http://K:S@h:3900?region=garage", Endpoint("g", "h", 3900, "K", "S", "garage")),
    ],
)
def test_an_endpoint_by_its_address(text: str, found: Endpoint) -> None:
    assert endpoint(text) == found


def test_keys_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "EK")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ES")
    assert endpoint("x=http://localhost:1") == Endpoint("x", "localhost", 1, "EK", "ES")


def test_what_cannot_be_measured_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)
    with pytest.raises(ArgumentTypeError, match="TLS"):
        endpoint("https://K:S@localhost")
    with pytest.raises(ArgumentTypeError, match="no keys"):
        endpoint("http://localhost:9000")
