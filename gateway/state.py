"""What the connections of a worker share."""

from __future__ import annotations

from uvicorn.server import ServerState

from gateway.exchange import Application


class State(ServerState):
    """What the connections of a worker have in common; the application that refuses what is beyond `most_…`.

    `request_timeout` is the seconds without progress that a client gets.
    """

    def __init__(
        self, most_connections: int, most_requests: int, slow_down: Application, request_timeout: float = 20.0
    ) -> None:
        super().__init__()
        self.request_timeout = request_timeout
        self.most_connections = most_connections
        self.most_requests = most_requests
        self.slow_down = slow_down
