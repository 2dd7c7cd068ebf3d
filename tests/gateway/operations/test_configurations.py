from __future__ import annotations

from gateway.operations.buckets import create_bucket
from gateway.operations.configurations import keep, kept
from tests.gateway.conftest import NewContext


async def test_each_is_kept_beside_the_others(context: NewContext) -> None:
    await create_bucket(context(), "made")
    assert kept(context("made").here, "one", "unset") == "unset"
    await keep(context("made"), "one", "1")
    await keep(context("made"), "two", "")
    await keep(context("made"), "one", "2")
    found = context("made").here
    assert (kept(found, "one", "unset"), kept(found, "two", "unset")) == ("2", "")
