from __future__ import annotations

import pytest

from gateway.cors import Rule, granted
from tests.gateway.conftest import request


def fits(rule: Rule, origin: str, method: str = "GET", asked: str = "") -> bool:
    asking = request(method)
    asking.headers = {"origin": origin, "access-control-request-headers": asked}
    return bool(granted(asking, [rule]))


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("*", ["http://a", ""], []),
        ("http://a", ["http://a"], ["http://A", "http://a/", "https://a", ""]),
        ("http://*.a", ["http://.a", "http://b.a", "http://c.b.a"], ["http://a", "http://b.aa"]),
        ("start*end", ["startend", "start1end"], ["starend", "0startend", "startend0"]),
        ("aba*aba", ["abaaba"], ["ababa", "aba"]),
    ],
)
def test_origins(pattern: str, fitting: list[str], others: list[str]) -> None:
    rule = Rule(["GET"], [pattern])
    assert [origin for origin in fitting + others if fits(rule, origin)] == fitting


def test_headers_in_any_case() -> None:
    rule = Rule(["GET"], ["*"], ["X-Amz-*", "content-type"])
    assert fits(rule, "a", asked="x-AMZ-date, Content-Type,")
    assert not fits(rule, "a", asked="x-amz-date, range")
    assert not fits(Rule(["GET"], ["*"]), "a", asked="x-amz-date")


def test_an_origin_is_given_back_unless_any_may_come() -> None:
    asking = request()
    asking.headers = {"origin": "http://b"}
    assert b"allow-origin: http://b\r\n" in granted(asking, [Rule(["GET"], ["http://b", "*"])])
    assert b"allow-origin: *\r\n" in granted(asking, [Rule(["GET"], ["*", "http://b"])])
    assert granted(asking, [Rule(["PUT"], ["*"])]) == b""
