"""HTTP requests for a load, encoded before it starts.

The mix is that of `workload.OrderMix` without cancels: 78 % are passive, up to 50 ticks
from the reference price; 22 % cross it by 5 ticks and are IOC. Makers and takers are
different demo traders, so that self-trade prevention never cancels an order.
"""

import json
import random
from collections.abc import Sequence
from decimal import Decimal

import msgspec

from benchmarks.served import Server
from benchmarks.workload import CROSSING
from infra.server.demo import INSTRUMENTS

#: The reference price of each symbol of the demo market.
PRICES = {symbol: Decimal(price) for symbol, _, price, *_ in INSTRUMENTS}
TICK = Decimal("0.01")


class Order(msgspec.Struct, frozen=True):
    """The body of an order, and the token of its owner."""

    body: dict[str, str]
    token: str


class Orders:
    """An endless, seeded flow of orders over the demo market."""

    def __init__(self, server: Server, seed: int = 7) -> None:
        self.random = random.Random(seed)
        self.symbols = server.demo.symbols
        tokens = [
            server.token(each.email, each.password) for each in server.demo.traders
        ]
        self.makers, self.takers = tokens[::2], tokens[1::2]

    def next(self, *, crossing: bool | None = None) -> Order:
        rng = self.random
        if crossing is None:
            crossing = rng.random() < CROSSING
        symbol = rng.choice(self.symbols)
        buys = rng.random() < 0.5
        away = (-5 if crossing else rng.randint(1, 50)) * TICK
        price = PRICES[symbol] - away if buys else PRICES[symbol] + away
        body = {
            "symbol": symbol,
            "qty": str(rng.randint(1, 10)),
            "side": "buy" if buys else "sell",
            "type": "limit",
            "time_in_force": "ioc" if crossing else "gtc",
            "limit_price": str(price),
        }
        return Order(body, rng.choice(self.takers if crossing else self.makers))


def singles(
    orders: Orders, path: str, *, connections: int, each: int
) -> list[list[str]]:
    """Return requests with one order each, for each connection."""
    return [
        [_single(orders.next(), path) for _ in range(each)] for _ in range(connections)
    ]


def _single(order: Order, path: str) -> str:
    return request(path, json.dumps(order.body, separators=(",", ":")), order.token)


def batches(
    orders: Orders, *, connections: int, each: int, size: int
) -> list[list[str]]:
    """Return batch requests for each connection; a batch is all passive or all IOC."""
    return [[_batch(orders, size) for _ in range(each)] for _ in range(connections)]


def _batch(orders: Orders, size: int) -> str:
    crossing = orders.random.random() < CROSSING
    some = [orders.next(crossing=crossing) for _ in range(size)]
    bodies: Sequence[dict[str, str]] = [order.body for order in some]
    body = json.dumps({"orders": bodies}, separators=(",", ":"))
    return request("/v2/orders:batch", body, some[0].token)


def request(path: str, body: str, token: str) -> str:
    """Return the request of an ordinary client as text."""
    return (
        f"POST {path} HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        "Accept: application/json\r\n"
        "Content-Type: application/json\r\n"
        f"Authorization: Bearer {token}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    )
