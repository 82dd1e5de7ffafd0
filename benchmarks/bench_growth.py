"""Does a server cost more after two million finished orders than after 400,000?

    python -m benchmarks.bench_growth [--window N] [FINISHED …]

Orders with client order ids rest, fill, and are canceled over HTTP until so many are
over. The memory window is short. At each stop the server takes a snapshot, ends, and
starts again from it; the load goes on against the server that started. The first stop
only fills the window, so that both servers compared began with a full one.
"""

import argparse
import json
import signal
import sys
import time
from collections.abc import Sequence
from statistics import median

import httpx
import msgspec
import psutil
import psycopg

from benchmarks.bench_http import generate
from benchmarks.cores import Pinning
from benchmarks.http_requests import Order, Orders, request
from benchmarks.long_log import take_snapshot
from benchmarks.projector import wait_for_views
from benchmarks.served import Served, served
from benchmarks.suite import Places, Suite
from commands.writer.leadership import WriterState

STOPS = (200_000, 400_000, 2_000_000)
WINDOW = 100_000
CONNECTIONS = 8
BATCH = 100
SLICE_SECONDS = 10.0
#: Batches of one connection in one slice: more than it can send.
BATCHES = 150
STARTS = 3
MEGABYTE = 2**20


class Cost(msgspec.Struct, frozen=True):
    """What a server costs when `finished` orders are over. Memory is in bytes."""

    finished: int
    before: int
    snapshot: int
    start_seconds: float
    after: int


def main() -> int:
    # SIGTERM raises KeyboardInterrupt, so that a run always stops its servers.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--window", type=int, default=WINDOW)
    parser.add_argument("stops", nargs="*", type=int, default=list(STOPS))
    options = parser.parse_args()
    with Suite(quick=False) as suite:
        costs = measure(suite.places(), options.stops, window=options.window)
    print(table(costs))
    return 0


def measure(places: Places, stops: Sequence[int], *, window: int) -> list[Cost]:
    """Return the cost at each stop."""
    with served(places, demo=True) as server:
        server.wait_until_seeded()
        server.fund()
        _set_window(server, window)
        demo = (server.home / "demo.json").read_bytes()
    load = Growth(places, demo)
    return [load.run_to(stop) for stop in sorted(stops)]


def _set_window(server: Served, count_max: int) -> None:
    admin = server.demo.admin
    token = server.token(admin.email, admin.password)
    httpx.patch(
        f"{server.base_url}/v2/admin/memory-window",
        json={"count_max": count_max},
        headers={"Authorization": f"Bearer {token}"},
    ).raise_for_status()


class Growth:
    """A load that goes on over restarts of its server."""

    def __init__(self, places: Places, demo: bytes) -> None:
        self._places = places
        self._demo = demo
        self._slices = 0
        self._counted = 0
        self._accepted = 0

    def run_to(self, finished: int) -> Cost:
        """Load a server until so many orders are over; return its cost."""
        url = self._places.database_url
        with served(self._places) as server:
            (server.home / "demo.json").write_bytes(self._demo)
            _wait_until_leading(server)
            while (over := self._finished()) < finished:
                megabytes = _resident(server) / MEGABYTE
                progress = f"{over:,} orders are over; server {megabytes:,.0f} MB"
                print(progress, file=sys.stderr, flush=True)
                self._load(server)
            wait_for_views(self._places, self._counted)
            before = _resident(server)
            take_snapshot(url)
        starts: list[tuple[float, int]] = []
        for _ in range(STARTS):
            with served(self._places) as server:
                seconds = _wait_until_leading(server)
                time.sleep(1)
                starts.append((seconds, _resident(server)))
        return Cost(
            over,
            before,
            _snapshot_size(url),
            median(seconds for seconds, _ in starts),
            round(median(resident for _, resident in starts)),
        )

    def _load(self, server: Served) -> None:
        """Send batches and cancels for some seconds, then cancel what is open."""
        self._slices += 1
        orders = Orders(server, seed=self._slices)
        requests = [
            self._requests(orders, connection) for connection in range(CONNECTIONS)
        ]
        generate(server, requests, SLICE_SECONDS, Pinning.FREE)
        for token in (*orders.makers, *orders.takers):
            answer = httpx.delete(
                f"{server.base_url}/v2/orders",
                headers={"Authorization": f"Bearer {token}"},
                timeout=60,
            )
            answer.raise_for_status()

    def _requests(self, orders: Orders, connection: int) -> list[str]:
        """Return batches of one connection: some rest, some meet them, all end."""
        requests: list[str] = []
        for number in range(BATCHES):
            prefix = f"{self._slices}-{connection}-{number}"
            resting = [orders.next(crossing=False) for _ in range(BATCH)]
            crossing = [orders.next(crossing=True) for _ in range(BATCH // 4)]
            requests.append(_batch(resting, f"{prefix}-r"))
            requests.append(_batch(crossing, f"{prefix}-c"))
            requests.append(_cancel_all(resting[0].token))
        return requests

    def _finished(self) -> int:
        """Return the number of orders that are over; all are, between two slices."""
        with psycopg.connect(self._places.database_url) as connection:
            row = connection.execute(
                "SELECT max(notification_id), count(*) FILTER (WHERE topic IN "
                "('market.order-accepted', 'market.order-rejected')) "
                "FROM events WHERE notification_id > %s",
                (self._counted,),
            ).fetchone()
        assert row is not None
        self._counted = row[0] or self._counted
        self._accepted += row[1]
        return self._accepted


def _batch(orders: Sequence[Order], prefix: str) -> str:
    bodies = [
        {**order.body, "client_order_id": f"{prefix}-{number}"}
        for number, order in enumerate(orders)
    ]
    body = json.dumps({"orders": bodies}, separators=(",", ":"))
    return request("/v2/orders:batch", body, orders[0].token)


def _cancel_all(token: str) -> str:
    return (
        "DELETE /v2/orders HTTP/1.1\r\n"
        "Host: 127.0.0.1\r\n"
        f"Authorization: Bearer {token}\r\n\r\n"
    )


def _wait_until_leading(server: Served) -> float:
    return server.wait_until(
        lambda readiness: readiness.ready and readiness.role == WriterState.LEADER.value
    )


def _resident(server: Served) -> int:
    return psutil.Process(server.process.pid).memory_info().rss


def _snapshot_size(database_url: str) -> int:
    """Return the bytes of the newest snapshot."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT sum(octet_length(state)) FROM snapshots WHERE originator_id = "
            "(SELECT 'snapshot-' || max(log_position) FROM snapshot_index)"
        ).fetchone()
    assert row is not None
    return int(row[0])


def table(costs: Sequence[Cost]) -> str:
    """Return the costs as a Markdown table; the last row compares the ends."""
    lines = [
        "| finished orders | server, loaded | snapshot | restart | server, restarted |",
        "| ---: | ---: | ---: | ---: | ---: |",
    ]
    lines += [
        f"| {each.finished:,} | {each.before / MEGABYTE:,.0f} MB "
        f"| {each.snapshot / MEGABYTE:,.1f} MB | {each.start_seconds:.2f} s "
        f"| {each.after / MEGABYTE:,.0f} MB |"
        for each in costs
    ]
    first, last = costs[-2:]
    lines.append(
        f"| ratio of the last two | {last.before / first.before:.2f} "
        f"| {last.snapshot / first.snapshot:.2f} "
        f"| {last.start_seconds / first.start_seconds:.2f} "
        f"| {last.after / first.after:.2f} |"
    )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
