"""The process that delivers event notifications, there while the operator has defined where they may go."""

from __future__ import annotations

from gateway.child import Child, StartFailed
from gateway.logging import log
from gateway.settings import Settings, dump


class Notifier:
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._child = Child("notifications", ["gateway.notifications.background"], dump(settings))

    async def start(self) -> None:
        if not self._settings.notify_webhook:
            return
        try:
            await self._child.start()
        except (StartFailed, OSError) as failure:
            log.error("%s", failure)
        self._child.keep()

    async def renew(self, settings: Settings) -> None:
        """Where the targets are others now; what has not arrived is sent by the next process."""
        changed = _targets(settings) != _targets(self._settings)
        self._settings = settings
        self._child.given = dump(settings)
        if changed:
            await self._child.stop()
            await self.start()

    async def stop(self) -> None:
        await self._child.stop()


def _targets(settings: Settings) -> object:
    return settings.notify_webhook, settings.notify_token
