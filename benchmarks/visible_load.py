"""Orders at a steady rate over HTTP, and the time until the views show each of them.

A separate process, so that one clock measures both the answers and `bourse:applied`.
The loop is open: each order has its time, and does not wait for the answer to the order
before.

    python -m benchmarks.visible_load PLAN.json
"""

import asyncio
import sys
import time
from bisect import bisect_left
from collections import deque
from pathlib import Path
from typing import Any, cast

import msgspec
import redis.asyncio
import uvloop

from benchmarks.latency import Latency, latency_of
from domain.ids import LOG_START, LogPosition
from projections.register import NAMES
from projections.store import APPLIED

#: The longest time from the last answer until the views show its order.
LAST_SECONDS = 10.0


class Plan(msgspec.Struct):
    """The load: `requests` in turn, `rate` per second, over some `connections`.

    Orders of the first `warm` seconds do not count.
    """

    host: str
    port: int
    redis_url: str
    rate: int
    seconds: float
    warm: float
    connections: int
    requests: list[str]


class Visibility(msgspec.Struct):
    """The latencies. `answered` begins at the order's time, `visible` at its answer."""

    orders: int
    rate: float
    refused: int
    visible: Latency
    answered: Latency
    visible_at_once: float


class Applied(msgspec.Struct):
    """A message of the projector."""

    position: LogPosition
    generations: dict[str, str]


class OrderAnswer(msgspec.Struct):
    """The answer to one order."""

    due: float
    at: float
    position: LogPosition


class Views:
    """The times at which all read models had reached a log position."""

    def __init__(self) -> None:
        self.positions: dict[str, LogPosition] = dict.fromkeys(NAMES, LOG_START)
        self.shown: list[LogPosition] = []
        self.since: list[float] = []
        self.moved = asyncio.Event()

    def hear(self, body: bytes, at: float) -> None:
        applied = msgspec.json.decode(body, type=Applied)
        for name in applied.generations:
            self.positions[name] = applied.position
        lowest = min(self.positions.values())
        if not self.shown or lowest > self.shown[-1]:
            self.shown.append(lowest)
            self.since.append(at)
            self.moved.set()

    def visible_at(self, position: LogPosition) -> float:
        return self.since[bisect_left(self.shown, position)]

    async def shows(self, position: LogPosition) -> None:
        while not self.shown or self.shown[-1] < position:
            self.moved.clear()
            await self.moved.wait()

    async def follow(self, url: str, heard: asyncio.Event) -> None:
        client = cast(Any, redis.asyncio.Redis.from_url(url))
        async with client.pubsub(ignore_subscribe_messages=True) as channel:
            await channel.subscribe(APPLIED)
            heard.set()
            while True:
                message = await channel.get_message(timeout=1.0)
                if message is not None:
                    self.hear(message["data"], time.perf_counter())


class Sender(asyncio.Protocol):
    """A connection that sends one order at a time."""

    def __init__(self, load: "Load") -> None:
        self.load = load

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # The transports of uvloop do not inherit from asyncio.Transport.
        self.transport = cast(asyncio.Transport, transport)
        self.received = b""

    def send(self, due: float, request: bytes) -> None:
        self.due = due
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, separator, body = self.received.partition(b"\r\n\r\n")
        headers = head.lower()
        if not separator or len(body) < _number(headers, b"content-length:"):
            return
        now = time.perf_counter()
        self.received = b""
        position = _number(headers, b"bourse-log-position:")
        self.load.answered(self, OrderAnswer(self.due, now, position))


def _number(headers: bytes, name: bytes) -> int:
    _, separator, rest = headers.partition(name)
    return int(rest.split(b"\r\n", 1)[0]) if separator else 0


class Load:
    """Sends each order of a plan at its time."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.requests = [request.encode() for request in plan.requests]
        self.free: deque[Sender] = deque()
        self.late: deque[tuple[float, bytes]] = deque()
        self.answers: list[OrderAnswer] = []
        self.expected = int(plan.rate * plan.seconds)
        self.complete = asyncio.Event()

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        plan = self.plan
        for _ in range(plan.connections):
            _, sender = await loop.create_connection(
                lambda: Sender(self), plan.host, plan.port
            )
            self.free.append(sender)
        start = time.perf_counter()
        for number in range(self.expected):
            due = start + number / plan.rate
            if (wait := due - time.perf_counter()) > 0:
                await asyncio.sleep(wait)
            self.send(due, self.requests[number % len(self.requests)])
        await self.complete.wait()

    def send(self, due: float, request: bytes) -> None:
        if self.free:
            self.free.popleft().send(due, request)
        else:
            self.late.append((due, request))

    def answered(self, sender: Sender, answer: OrderAnswer) -> None:
        self.answers.append(answer)
        if len(self.answers) == self.expected:
            self.complete.set()
        if self.late:
            sender.send(*self.late.popleft())
        else:
            self.free.append(sender)


async def run(plan: Plan) -> Visibility:
    """Run a plan."""
    views, load, heard = Views(), Load(plan), asyncio.Event()
    following = asyncio.create_task(views.follow(plan.redis_url, heard))
    await heard.wait()
    await load.run()
    last = max(answer.position for answer in load.answers)
    async with asyncio.timeout(LAST_SECONDS):
        await views.shows(last)
    following.cancel()
    return _seen(plan, load.answers, views)


def _seen(plan: Plan, answers: list[OrderAnswer], views: Views) -> Visibility:
    good = [answer for answer in answers if answer.position]
    start = min(answer.due for answer in answers) + plan.warm
    counted = [answer for answer in good if answer.due >= start]
    waits = [views.visible_at(each.position) - each.at for each in counted]
    ended = max(answer.at for answer in counted)
    return Visibility(
        orders=len(counted),
        rate=len(counted) / (ended - start),
        refused=len(answers) - len(good),
        visible=latency_of(max(0.0, wait) for wait in waits),
        answered=latency_of(each.at - each.due for each in counted),
        visible_at_once=sum(wait <= 0 for wait in waits) / len(waits),
    )


def main() -> None:
    plan = msgspec.json.decode(Path(sys.argv[1]).read_bytes(), type=Plan)
    sys.stdout.buffer.write(msgspec.json.encode(uvloop.run(run(plan))))


if __name__ == "__main__":
    main()
