from __future__ import annotations

import time
from types import SimpleNamespace

import pytest

from catalog.records import User
from gateway.auth import authenticate
from gateway.auth.rates import Rates, authenticating
from gateway.s3.errors import S3Error


def taken(rates: Rates, key: str, now: float, times: int) -> int:
    """How many of so many requests at once may come."""
    count = 0
    for _ in range(times):
        try:
            rates.take(key, now)
            count += 1
        except S3Error as refusal:
            assert refusal.code == "SlowDown"
    return count


@pytest.mark.parametrize("most", [1, 3, 10, 999])
def test_so_many_a_second(most: int) -> None:
    rates = Rates(most)
    assert taken(rates, "key", 100.0, 2000) == most
    assert taken(rates, "key", 100.5, 2000) == most // 2
    assert taken(rates, "key", 101.0, 2000) == most - most // 2
    assert taken(rates, "key", 200.0, 2000) == most


def test_each_key_has_its_own() -> None:
    rates = Rates(2)
    assert taken(rates, "one", 5.0, 3) == 2
    assert taken(rates, "other", 5.0, 3) == 2


def test_without_a_limit_nothing_is_counted() -> None:
    assert authenticating(0) is authenticate


def test_only_who_proved_the_key_takes_of_its_requests(s3: SimpleNamespace) -> None:
    limited, users = authenticating(1), {s3.key: User("id", "example", s3.key, s3.secret)}
    forged = s3.sign("GET", "http://host/b", secret="another")
    for _ in range(3):
        with pytest.raises(S3Error) as refusal:
            limited(forged, users.get, s3.region, time.time())
        assert refusal.value.code != "SlowDown"
        limited(s3.make("GET", "/b", {"host": "host"}), users.get, s3.region, time.time())
    assert limited(s3.sign("GET", "http://host/b"), users.get, s3.region, time.time()).access_key == s3.key
    with pytest.raises(S3Error) as refusal:
        limited(s3.sign("GET", "http://host/b"), users.get, s3.region, time.time())
    assert refusal.value.code == "SlowDown"
