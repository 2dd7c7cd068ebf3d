"""`ducket serve` whose processes run by way of `conformance.crash.child`, so that they can be made to die or fail."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from conformance.crash.recorder import Recorder
from gateway import child, cli, supervisor


class Child(child.Child):
    def __init__(self, name: str, command: list[str], given: bytes, sockets: Sequence[socket.socket] = ()) -> None:
        super().__init__(name, ["conformance.crash.child", *command], given, sockets)


if __name__ == "__main__":
    vars(supervisor)["Child"] = Child
    Recorder.arm_if_given()
    cli.main()
