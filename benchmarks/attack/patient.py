"""Patient clients: they read and trade at a steady pace, attack or not.

A latency counts from the moment at which the request was due, so a stall counts for
every request that it delays.
"""

import threading
import time
from itertools import count
from multiprocessing.connection import Connection as Pipe

import msgspec

from benchmarks.attack.connection import PATIENT_ADDRESS, Connection, order, request
from benchmarks.attack.target import Target

CLIENTS = 5
#: From one request of a client to its next.
PACE_SECONDS = 0.1
#: Every so many requests a client opens another connection.
RENEW_EVERY = 10
ANSWER_SECONDS = 20.0


class Patience(msgspec.Struct):
    """What the clients met: latencies in seconds, and answers that were no success."""

    latencies: list[float]
    failures: list[str]


def be_patient(target: Target, seconds: float, report: Pipe) -> None:
    """Ask for some seconds with all clients, then report."""
    patience = Patience([], [])
    threads = [
        threading.Thread(target=_ask, args=(target, seconds, first, patience))
        for first in range(CLIENTS)
    ]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    report.send(patience)


def _ask(target: Target, seconds: float, first: int, patience: Patience) -> None:
    started = time.monotonic() + first * PACE_SECONDS / CLIENTS
    connection: Connection | None = None
    for number in count():
        due = started + number * PACE_SECONDS
        if due > started + seconds:
            break
        time.sleep(max(0.0, due - time.monotonic()))
        try:
            if connection is None or number % RENEW_EVERY == 0:
                connection = _renewed(target, connection)
            connection.deadline = due + ANSWER_SECONDS
            status, body = connection.ask(_request(target, first + number))
            if status >= 400:
                patience.failures.append(f"{status} {body[:200].decode()}")
        except OSError as reason:
            patience.failures.append(str(reason))
            connection = None
        patience.latencies.append(time.monotonic() - due)


def _renewed(target: Target, connection: Connection | None) -> Connection:
    if connection is not None:
        connection.close()
    return Connection(target, time.monotonic() + ANSWER_SECONDS, PATIENT_ADDRESS)


def _request(target: Target, number: int) -> bytes:
    """Return an order, or a query by another user.

    A user's own queries would wait for the views to show that user's latest order.
    """
    trader, reader = target.tokens[-2:]
    match number % 4:
        case 0:
            bid = order(target.symbol, "buy", "100.00")
            return request("POST", "/v2/orders", trader, bid)
        case 1:
            return request("GET", "/v2/account", reader)
        case 2:
            return request("GET", "/v2/orders?status=open&limit=5", reader)
        case _:
            return request("GET", f"/v2/books/{target.symbol}")
