"""Attacks by clients that do not behave: they flood, stall, and do not read."""

import select
import time
from contextlib import suppress

from benchmarks.attack.connection import Connection, batch, request
from benchmarks.attack.target import Target

MEGABYTE = 1_000_000
FLOOD = 20 * MEGABYTE
ENDLESS = 100 * MEGABYTE
UNREAD_CLIENTS = 50
IDLE_CLIENTS = 300
SLOW_CLIENTS = 200
#: Orders in the answer that nobody reads.
LISTED = 500
BATCH = 100


def nothing(_target: Target, deadline: float) -> None:
    """Wait: the figures without an attack."""
    time.sleep(max(0.0, deadline - time.monotonic()))


def pipeline_unread(target: Target, deadline: float) -> None:
    """Pipeline 20 MB of requests on one connection, and read nothing."""
    connection = Connection(target, deadline)
    connection.send(_flood())
    nothing(target, deadline)


def pipeline_read(target: Target, deadline: float) -> None:
    """Pipeline 20 MB of requests on one connection, and read the answers."""
    connection = Connection(target, deadline)
    flood = memoryview(_flood())
    connection.socket.setblocking(False)
    while (seconds := deadline - time.monotonic()) > 0:
        readable, writable, _ = select.select(
            [connection.socket], [connection.socket] if flood else [], [], seconds
        )
        with suppress(OSError):
            if writable:
                flood = flood[connection.socket.send(flood[:MEGABYTE]) :]
            if readable and not connection.socket.recv(MEGABYTE):
                return


def _flood() -> bytes:
    one = request("GET", "/health/live")
    return one * (FLOOD // len(one))


def large_answers_unread(target: Target, deadline: float) -> None:
    """Ask for many large answers on 50 connections, and read none."""
    token = target.tokens[0]
    trader = Connection(target, deadline)
    for _ in range(LISTED // BATCH):
        trader.prepare(batch(target, token, "1.00", BATCH))
    query = request("GET", f"/v2/orders?limit={LISTED}", token)
    connections = [Connection(target, deadline) for _ in range(UNREAD_CLIENTS)]
    for each in connections:
        each.socket.setblocking(False)
    while time.monotonic() < deadline:
        for each in connections:
            with suppress(OSError):
                each.socket.send(query * 100)
        time.sleep(0.05)


def endless_target(target: Target, deadline: float) -> None:
    """Send a request line of 100 MB, again and again."""
    _endless(target, deadline, b"GET /")


def endless_header(target: Target, deadline: float) -> None:
    """Send a header of 100 MB, again and again."""
    _endless(target, deadline, b"GET / HTTP/1.1\r\nName: ")


def _endless(target: Target, deadline: float, beginning: bytes) -> None:
    part = b"a" * MEGABYTE
    while time.monotonic() < deadline:
        connection = Connection(target, deadline)
        sent = len(part) if connection.send(beginning) else ENDLESS
        while sent < ENDLESS and connection.send(part):
            sent += len(part)
        connection.close()


def idle(target: Target, deadline: float) -> None:
    """Open 300 connections, and send nothing."""
    connections: list[Connection] = []
    for _ in range(IDLE_CLIENTS):
        with suppress(OSError):
            connections.append(Connection(target, deadline))
    nothing(target, deadline)


def slow_heads(target: Target, deadline: float) -> None:
    """Send 200 heads, one byte a second."""
    _slow(target, deadline, b"GET / HTTP/1.1\r\nName: ")


def slow_bodies(target: Target, deadline: float) -> None:
    """Send 200 bodies, one byte a second."""
    head = request("POST", "/v2/orders", target.tokens[0], {})
    _slow(target, deadline, head.replace(b"Length: 2", b"Length: 900")[:-2])


def _slow(target: Target, deadline: float, beginning: bytes) -> None:
    connections = [Connection(target, deadline) for _ in range(SLOW_CLIENTS)]
    for each in connections:
        each.send(beginning)
    while time.monotonic() < deadline:
        for each in connections:
            each.send(b"a")
        time.sleep(1.0)
