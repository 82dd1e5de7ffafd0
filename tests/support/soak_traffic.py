"""Orders at the server's full rate: they rest, fill, are canceled and are refused.

Each connection is a closed loop. When its server is killed, it connects again.
"""

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Iterator

import msgspec

from benchmarks.http_requests import Order, Orders, request
from benchmarks.served import Server

BATCH = 100
CONNECTIONS = 8
RETRY_SECONDS = 0.1
#: Answers to a load during a change of servers: not ready, or a batch in doubt.
EXPECTED = frozenset({200, 204, 207, 404, 422, 503})


class Results(msgspec.Struct):
    """The answers so far, by status; each order of a batch and each cancel alone."""

    statuses: Counter[int] = msgspec.field(default_factory=Counter[int])
    orders: Counter[int] = msgspec.field(default_factory=Counter[int])
    ends: Counter[int] = msgspec.field(default_factory=Counter[int])
    hangups: int = 0


class _Result(msgspec.Struct):
    """The part that counts of the result for one order."""

    status: int


class Traffic:
    """The connections, and what they were answered."""

    def __init__(self, server: Server) -> None:
        self.results = Results()
        self.orders = Orders(server)
        self._host, self._port = "127.0.0.1", server.port
        self._numbers = itertools.count()

    async def run(self) -> None:
        """Send orders until canceled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(CONNECTIONS):
                group.create_task(self._keep_sending())

    async def _keep_sending(self) -> None:
        requests = self._requests()
        while True:
            try:
                reader, writer = await asyncio.open_connection(self._host, self._port)
            except OSError:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            try:
                await self._send(reader, writer, requests)
            except (OSError, asyncio.IncompleteReadError):
                self.results.hangups += 1
            finally:
                writer.close()

    async def _send(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        requests: Iterator[str],
    ) -> None:
        for text in requests:
            writer.write(text.encode())
            status, body = await _answer(reader)
            self.results.statuses[status] += 1
            if status == 207:
                some = msgspec.json.decode(body, type=list[_Result])
                counts = self.results.orders if ":batch" in text else self.results.ends
                counts.update(each.status for each in some)
            if status == 503:
                await asyncio.sleep(RETRY_SECONDS)

    def _requests(self) -> Iterator[str]:
        """Yield orders that rest, orders that meet them, an order that is refused, and
        a cancel of all."""
        orders = self.orders
        while True:
            resting = [orders.next(crossing=False) for _ in range(BATCH)]
            crossing = [orders.next(crossing=True) for _ in range(BATCH // 4)]
            yield self._batch(resting)
            yield self._batch(crossing)
            off_tick = {**resting[0].body, "limit_price": "0.00001"}
            yield request("/v2/orders", json.dumps(off_tick), resting[0].token)
            yield (
                "DELETE /v2/orders HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {resting[0].token}\r\n\r\n"
            )

    def _batch(self, some: list[Order]) -> str:
        bodies = [
            {**each.body, "client_order_id": f"soak-{next(self._numbers)}"}
            for each in some
        ]
        body = json.dumps({"orders": bodies}, separators=(",", ":"))
        return request("/v2/orders:batch", body, some[0].token)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)
