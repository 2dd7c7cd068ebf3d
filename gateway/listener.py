"""The address that all workers listen on together, each with a socket of its own."""

from __future__ import annotations

import errno
import socket

# Clients that vanished without a word are found out in about two minutes. Connections inherit this.
PATIENCE = {
    socket.TCP_KEEPIDLE: 60,
    socket.TCP_KEEPINTVL: 15,
    socket.TCP_KEEPCNT: 4,
    socket.TCP_USER_TIMEOUT: 120_000,
}


def listener(host: str, port: int) -> socket.socket:
    """A bound socket. Any number may bind the same port; the kernel shares connections out among those that listen."""
    kind, address = resolve(host, port)
    bound = socket.socket(kind, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in PATIENCE.items():
        bound.setsockopt(socket.IPPROTO_TCP, option, value)
    bound.bind(address)
    return bound


def is_taken(host: str, port: int) -> bool:
    """Whether someone listens there already: sharing the port would share our requests with them."""
    kind, address = resolve(host, port)
    with socket.socket(kind, socket.SOCK_STREAM) as alone:
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            alone.bind(address)
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return True
            raise
    return False


def resolve(host: str, port: int) -> tuple[socket.AddressFamily, tuple[str, int]]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    return family, (str(address[0]), int(address[1]))


def url(host: str, port: int, scheme: str = "http") -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
