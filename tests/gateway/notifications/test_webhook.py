from __future__ import annotations

from collections.abc import Iterator

import pytest

from conformance.receiver import Receiver, receiving
from gateway.notifications.webhook import Target, Undelivered, Webhook, targets
from gateway.settings import Settings


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as receiver:
        yield receiver


@pytest.mark.parametrize(
    ("token", "sent"),
    [("", None), ("secret", "Bearer secret"), ("Bearer secret", "Bearer secret"), ("Basic YTpi", "Basic YTpi")],
)
def test_what_is_posted(receiver: Receiver, token: str, sent: str | None) -> None:
    webhook = Webhook(Target("hook", receiver.url, token))
    webhook.post(b'{"a": "b"}')
    webhook.post(b'{"a": "c"}')
    webhook.close()
    assert [taken.message for taken in receiver.taken] == [{"a": "b"}, {"a": "c"}]
    assert receiver.taken[0].path == "/some/path?a=b"
    assert receiver.taken[0].headers.get("authorization") == sent
    assert receiver.taken[0].headers["content-type"] == "application/json"


@pytest.mark.parametrize("status", [204, 299])
def test_what_counts_as_taken(receiver: Receiver, status: int) -> None:
    receiver.answer = lambda message: status
    Webhook(Target("hook", receiver.url)).post(b"{}")
    assert len(receiver.taken) == 1


@pytest.mark.parametrize("status", [301, 307, 400, 403, 404, 429, 500, 503])
def test_what_does_not(receiver: Receiver, status: int) -> None:
    """It is posted once: neither tried again here nor sent elsewhere."""
    receiver.answer = lambda message: status
    with pytest.raises(Undelivered, match=f"^it answered {status}"):
        Webhook(Target("hook", receiver.url)).post(b"{}")
    assert receiver.refused == 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(receiver: Receiver, status: int) -> None:
    with receiving() as another:
        receiver.answer, receiver.location = lambda message: status, another.url
        with pytest.raises(Undelivered, match=f"^it answered {status}"):
            Webhook(Target("hook", receiver.url)).post(b"{}")
        assert (receiver.refused, another.taken, another.refused) == (1, [], 0)


def test_nobody_there() -> None:
    with receiving() as receiver:
        pass
    with pytest.raises(Undelivered, match="refused"):
        Webhook(Target("hook", receiver.url)).post(b"{}")


def test_the_targets_of_the_settings() -> None:
    settings = Settings(
        notify_webhook=(("a", "https://u.example:8443/x?token=secret"), ("b", "http://h/")),
        notify_token=(("b", "t"),),
    )
    first, second = targets(settings)
    assert (first.name, first.place, first.token) == ("a", "https://u.example:8443", "")
    assert (second.arn, second.token) == ("arn:minio:sqs::b:webhook", "t")
