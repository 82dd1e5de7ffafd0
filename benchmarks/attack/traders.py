"""Attacks by traders: requests that are allowed, and many of them."""

import json
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from benchmarks.attack.connection import Connection, batch, order, request
from benchmarks.attack.target import Target

BATCH = 100
SCANNERS = 16
CANCELERS = 32
#: Finished orders that a filter has to pass over.
FINISHED = 20_000


def cancel_everything(target: Target, deadline: float, bids: int) -> None:
    """Rest many bids of one share, cancel all at once, and begin again."""
    token = target.tokens[0]
    while time.monotonic() < deadline:
        trader = Connection(target, deadline)
        with suppress(OSError):
            _rest(trader, target, token, bids)
            trader.ask(request("DELETE", "/v2/orders", token))
        trader.close()


def _rest(trader: Connection, target: Target, token: str, bids: int) -> None:
    for first in range(0, bids, BATCH):
        trader.prepare(batch(target, token, "90.00", min(BATCH, bids - first)))


def scan(target: Target, deadline: float) -> None:
    """Ask on 16 connections with a filter that matches nothing."""
    query = request("GET", "/v2/orders?status=closed&side=sell", target.tokens[0])
    _on_each(target, deadline, SCANNERS, lambda each: each.ask(query))


def finish_orders(target: Target, deadline: float) -> None:
    """Place and cancel bids, so that a filter has something to pass over."""
    token, trader = target.tokens[0], Connection(target, deadline)
    for _ in range(FINISHED // 1_000):
        _rest(trader, target, token, 1_000)
        trader.prepare(request("DELETE", "/v2/orders", token))


def cancel_twice(target: Target, deadline: float) -> None:
    """Place on 32 connections, cancel, and cancel again and again, which is refused."""
    token = target.tokens[0]

    def place_and_cancel(each: Connection) -> None:
        bid = order(target.symbol, "buy", "90.00")
        status, body = each.ask(request("POST", "/v2/orders", token, bid))
        if status != 200:
            raise ConnectionError(body)
        cancel = request("DELETE", f"/v2/orders/{json.loads(body)['id']}", token)
        for _ in range(4):
            each.ask(cancel)

    _on_each(target, deadline, CANCELERS, place_and_cancel)


def _on_each(
    target: Target, deadline: float, count: int, work: Callable[[Connection], object]
) -> None:
    def repeat() -> None:
        with suppress(OSError):
            connection = Connection(target, deadline)
            while time.monotonic() < deadline:
                work(connection)

    threads = [threading.Thread(target=repeat) for _ in range(count)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
