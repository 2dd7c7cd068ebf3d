from __future__ import annotations

from gateway.listener import is_taken, listener, url


def test_any_number_may_bind_one_port() -> None:
    with listener("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with listener("127.0.0.1", port) as second:
            assert second.getsockname() == first.getsockname()


def test_a_port_is_taken_once_somebody_listens() -> None:
    with listener("127.0.0.1", 0) as bound:
        bound.listen()
        port = bound.getsockname()[1]
        assert is_taken("127.0.0.1", port)
    assert not is_taken("127.0.0.1", port)


def test_addresses_of_both_kinds() -> None:
    assert url("127.0.0.1", 80) == "http://127.0.0.1:80"
    assert url("::1", 80) == "http://[::1]:80"
