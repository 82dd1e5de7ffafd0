"""A load generator for HTTP: a separate process, closed loop, many connections.

Each connection sends its next request when it has the answer to the last one. The
generator does little, because it shares two cores with the server that it measures.

    python -m benchmarks.http_load PLAN.json

PLAN.json holds a `Plan`; the program prints an `Outcome` as JSON.
"""

import asyncio
import sys
import time
from collections import Counter
from pathlib import Path
from typing import cast

import msgspec
import uvloop

from benchmarks.latency import Latency, latency_of


class Plan(msgspec.Struct):
    """The load. `requests` holds the HTTP requests of each connection as text."""

    host: str
    port: int
    seconds: float
    requests: list[list[str]]


class Outcome(msgspec.Struct):
    """The figures after the first fifth of the time; `statuses` counts all answers."""

    seconds: float
    answered: int
    statuses: dict[str, int]
    latency: Latency
    processor_seconds: float

    @property
    def rate(self) -> float:
        return self.answered / self.seconds


class _Connection(asyncio.Protocol):
    """A connection that sends, waits for the whole answer and sends again."""

    def __init__(self, requests: list[bytes], until: float) -> None:
        self.requests = requests
        self.until = until
        self.place = 0
        self.received = b""
        self.latencies: list[tuple[float, float]] = []
        self.statuses: Counter[bytes] = Counter()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The transports of uvloop do not inherit from asyncio.Transport.
        self.transport = cast(asyncio.Transport, transport)
        self._send()

    def _send(self) -> None:
        self.sent_at = time.perf_counter()
        self.transport.write(self.requests[self.place])
        self.place = (self.place + 1) % len(self.requests)

    def data_received(self, data: bytes) -> None:
        received = self.received + data if self.received else data
        end = received.find(b"\r\n\r\n")
        if end < 0 or len(received) < end + 4 + _length(received[:end]):
            self.received = received
            return
        self.received = b""
        now = time.perf_counter()
        self.latencies.append((now, now - self.sent_at))
        self.statuses[received[9:12]] += 1
        if now < self.until:
            self._send()
        elif not self.done.done():
            self.done.set_result(None)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(exc or ConnectionError("the server hung up"))


def _length(head: bytes) -> int:
    lower = head.lower()
    place = lower.find(b"content-length:")
    if place < 0:
        return 0
    return int(lower[place + 15 :].split(b"\r\n", 1)[0])


async def run(plan: Plan) -> Outcome:
    """Run a plan."""
    loop = asyncio.get_running_loop()
    start = time.perf_counter()
    until = start + plan.seconds
    connections: list[_Connection] = []
    for requests in plan.requests:
        encoded = [request.encode() for request in requests]
        _, connection = await loop.create_connection(
            lambda encoded=encoded: _Connection(encoded, until), plan.host, plan.port
        )
        connections.append(connection)
    await asyncio.gather(*(connection.done for connection in connections))
    return _outcome(connections, start + plan.seconds / 5)


def _outcome(connections: list[_Connection], warm: float) -> Outcome:
    counted = [
        (at, latency)
        for connection in connections
        for at, latency in connection.latencies
        if at >= warm
    ]
    statuses = sum((each.statuses for each in connections), Counter[bytes]())
    return Outcome(
        seconds=max(at for at, _ in counted) - warm,
        answered=len(counted),
        statuses={status.decode(): count for status, count in statuses.items()},
        latency=latency_of(latency for _, latency in counted),
        processor_seconds=time.process_time(),
    )


def main() -> None:
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    outcome = uvloop.run(run(plan))
    sys.stdout.buffer.write(msgspec.json.encode(outcome))


if __name__ == "__main__":
    main()
