"""How many orders per second does HTTP take, compared with requests that do nothing?

The server is complete, with a running projector. No-ops, single orders and batches take
turns on the same server, from the same generator. Before each turn of no-ops the views
have caught up and no snapshot is in progress, so that the services are idle.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import monotonic, sleep

import msgspec
import psutil

from benchmarks.cores import Pinning, pin
from benchmarks.http_load import Outcome, Plan
from benchmarks.http_requests import Orders, batches, singles
from benchmarks.processor_time import ProcessorTime, is_projector, processor_time
from benchmarks.projector import wait_for_views
from benchmarks.served import Served, Server, served
from benchmarks.suite import Suite
from benchmarks.table import Row
from infra.log.event_store import PostgresEventStore
from infra.server.server import SNAPSHOT_LOOK_SECONDS

NAME = "http"
CONNECTIONS = 64
BATCH_CONNECTIONS = 8
BATCH = 100


class Load(msgspec.Struct):
    """One kind of request: its orders per request, and its outcome in each round."""

    requests: list[list[str]]
    orders: int
    outcomes: list[Outcome] = msgspec.field(default_factory=list[Outcome])
    rows: int = 0
    used: ProcessorTime = ProcessorTime({})

    @property
    def rate(self) -> float:
        """Orders per second, the median of the rounds."""
        return median(each.rate for each in self.outcomes) * self.orders

    @property
    def middle(self) -> Outcome:
        return sorted(self.outcomes, key=lambda each: each.rate)[
            len(self.outcomes) // 2
        ]

    @property
    def rows_per_order(self) -> float:
        return self.rows / self.answered

    @property
    def answered(self) -> int:
        """The number of orders with an answer, including the warm-up."""
        return self.orders * sum(sum(each.statuses.values()) for each in self.outcomes)


def measure(suite: Suite) -> list[Row]:
    rows: list[Row] = []
    for pinning in Pinning:
        with served(suite.places(), demo=True) as server:
            server.wait_until_seeded()
            server.fund()
            services = [pid for _, pid in suite.services()]
            pin(pinning, server=server.process.pid, others=services)
            rows += _rows(pinning, *_take_turns(suite, server, pinning))
    return rows


def _take_turns(
    suite: Suite, server: Served, pinning: Pinning
) -> tuple[Load, Load, Load]:
    orders = Orders(server)
    each = suite.scaled(400, 100)
    no_op = Load(singles(orders, "/no-op", connections=CONNECTIONS, each=each), 1)
    single = Load(singles(orders, "/v2/orders", connections=CONNECTIONS, each=each), 1)
    some = batches(orders, connections=BATCH_CONNECTIONS, each=each // 10, size=BATCH)
    batch = Load(some, BATCH)
    seconds = suite.scaled(5, 2)
    pid, services = server.process.pid, suite.services()
    with PostgresEventStore(server.places.database_url) as store:
        for _ in range(suite.scaled(5, 2)):
            for load in (no_op, single, batch):
                head = store.reader.head()
                wait_for_views(server.places, head)
                if load is no_op:
                    _wait_for_snapshots(pid)
                before = processor_time(pid, services)
                outcome = generate(server, load.requests, seconds, pinning)
                load.used += processor_time(pid, services) - before
                load.used += ProcessorTime({"generator": outcome.processor_seconds})
                load.outcomes.append(outcome)
                load.rows += store.reader.head() - head
    return no_op, single, batch


def _wait_for_snapshots(server: int) -> None:
    """Wait until no snapshot is in progress or due.

    The server starts a snapshot within SNAPSHOT_LOOK_SECONDS after it is due.
    """
    idle_since = monotonic()
    while monotonic() - idle_since < SNAPSHOT_LOOK_SECONDS + 1:
        children = psutil.Process(server).children()
        if not all(map(is_projector, children)):
            idle_since = monotonic()
        sleep(0.1)


def generate(
    server: Server, requests: list[list[str]], seconds: float, pinning: Pinning
) -> Outcome:
    """Run the load generator in a separate process."""
    plan = Plan("127.0.0.1", server.port, seconds, requests)
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        Path(file.name).write_bytes(msgspec.json.encode(plan))
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.http_load", file.name],
            stdout=subprocess.PIPE,
        )
        pin(pinning, server=server.process.pid, others=[process.pid])
        output, _ = process.communicate(timeout=seconds + 60)
    outcome = msgspec.json.decode(output, type=Outcome)
    assert set(outcome.statuses) <= {"200", "207"}, outcome.statuses
    return outcome


def _rows(pinning: Pinning, no_op: Load, single: Load, batch: Load) -> list[Row]:
    def row(what: str, load: Load, target: str, notes: str) -> Row:
        return Row(
            what=f"{what} ({pinning})",
            measured=f"{load.rate:,.0f} orders/s",
            compared_with=f"no-op {no_op.rate:,.0f}/s",
            ratio=load.rate / no_op.rate,
            target=target,
            latency=load.middle.latency,
            rows_per_order=load.rows_per_order,
            notes=notes,
        )

    return [
        row(
            f"orders, one per request, {CONNECTIONS} connections",
            single,
            "0.75; p99 40 ms",
            f"{single.used.each(single.answered)}; no-op: "
            f"p50 / p99 / p99.9 {no_op.middle.latency} ms, "
            f"{no_op.used.each(no_op.answered)}",
        ),
        row(
            f"orders in batches of {BATCH}, {BATCH_CONNECTIONS} connections",
            batch,
            "1.70",
            f"{batch.middle.rate:,.0f} batches/s; {batch.used.each(batch.answered)}",
        ),
    ]
