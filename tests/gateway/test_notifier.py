from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from catalog import Catalog
from gateway.notifications.progress import load
from gateway.notifier import Notifier
from gateway.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    Catalog.open(tmp_path / "data").release()
    return Settings(data=tmp_path / "data", notify_webhook=(("hook", "http://127.0.0.1:9/"),))


def process(notifier: Notifier) -> int | None:
    """Its id, None where there is none."""
    found = notifier._child.process
    return found.pid if found is not None and found.returncode is None else None


async def test_without_a_target_there_is_no_process(tmp_path: Path) -> None:
    notifier = Notifier(Settings(data=tmp_path))
    await notifier.start()
    assert process(notifier) is None
    await notifier.stop()


async def test_it_is_there_until_it_is_stopped(settings: Settings) -> None:
    notifier = Notifier(settings)
    await notifier.start()
    assert process(notifier) is not None
    assert load(settings.data)["hook"].delivered == 0
    await notifier.stop()
    assert process(notifier) is None


@pytest.mark.parametrize(
    ("change", "another"),
    [
        (lambda settings: replace(settings, notify_token=(("hook", "t"),)), True),
        (lambda settings: replace(settings, keep_alive=7), False),
    ],
)
async def test_it_is_renewed_where_the_targets_are_others(
    settings: Settings, change: Callable[[Settings], Settings], another: bool
) -> None:
    notifier = Notifier(settings)
    await notifier.start()
    first = process(notifier)
    await notifier.renew(change(settings))
    second = process(notifier)
    assert second is not None and (second != first) is another
    await notifier.renew(replace(settings, notify_webhook=(), notify_token=()))
    assert process(notifier) is None
    await notifier.stop()
