from __future__ import annotations

from catalog.errors import NoObject
from catalog.records import Version
from tests.gateway.access.asking import Held, ask

OBJECT = Version(1, "", 0, "", 0, "", "")


def test_what_a_policy_calls_it() -> None:
    assert ask(key="a/b").resource == "b/a/b"
    assert ask(key=None).resource == "b"


def test_a_form_names_the_key_late() -> None:
    asked = ask(key=None)
    asked.request.key = "in/key"
    asked.complete({"tagging": None})
    assert (asked.key, asked.resource, asked.given) == ("in/key", "b/in/key", {"tagging": None})


def test_the_object_is_looked_up_once() -> None:
    held = Held(key=OBJECT)
    asked = ask(held=held)
    assert asked.version() is OBJECT
    held.objects.clear()
    assert asked.version() is OBJECT
    assert asked.missing() is None


def test_what_is_not_there() -> None:
    assert ask().version() is None
    assert isinstance(ask().missing(), NoObject)
    assert ask(key=None).missing() is None
    assert ask(query="uploadId=x").upload() is None
