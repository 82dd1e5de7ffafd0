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

CONNECTIONS = 32
#: Orders of one connection between two cancels of all.
ORDERS = 25
RETRY_SECONDS = 0.1


class Results(msgspec.Struct):
    """The answers so far by HTTP status, and the orders that cancel-alls ended."""

    statuses: Counter[int] = msgspec.field(default_factory=Counter[int])
    canceled: int = 0
    hangups: int = 0

    @property
    def orders(self) -> int:
        """Return the number of acknowledged orders."""
        return self.statuses[200]


class _Canceled(msgspec.Struct):
    """The part that counts of the result of a cancel-all for one order."""

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
                some = msgspec.json.decode(body, type=list[_Canceled])
                self.results.canceled += len(some)
            if status == 503:
                await asyncio.sleep(RETRY_SECONDS)

    def _requests(self) -> Iterator[str]:
        """Yield orders that rest, orders that meet them, an order that is refused, and
        a cancel of all."""
        orders = self.orders
        while True:
            some = [orders.next(crossing=number % 5 == 4) for number in range(ORDERS)]
            yield from map(self._request, some)
            refused = Order({**some[0].body, "limit_price": "0.00001"}, some[0].token)
            yield self._request(refused)
            yield (
                "DELETE /v2/orders HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {some[0].token}\r\n\r\n"
            )

    def _request(self, order: Order) -> str:
        named = {**order.body, "client_order_id": f"soak-{next(self._numbers)}"}
        return request("/v2/orders", json.dumps(named), order.token)


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return int(head.split(b" ", 2)[1]), await reader.readexactly(length)
