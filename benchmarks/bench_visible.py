"""How long after its answer is an order visible in the read models?

The load is 1,000 orders per second over HTTP, open loop. The figure is the time from an
order's answer to the message that every read model has reached its log position.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec

from benchmarks.http_requests import Orders, singles
from benchmarks.projector import wait_for_views
from benchmarks.served import Served, served
from benchmarks.suite import Suite
from benchmarks.table import Row
from benchmarks.visible_load import Plan, Visibility
from infra.log.event_store import PostgresEventStore

NAME = "visible"
RATE = 1_000
CONNECTIONS = 64


def measure(suite: Suite) -> list[Row]:
    with served(suite.places(), demo=True) as server:
        server.wait_until_seeded()
        server.fund()
        with PostgresEventStore(server.places.database_url) as store:
            before = store.reader.head()
            wait_for_views(server.places, before)
            seconds = suite.scaled(20, 5)
            outcome = _generate(server, seconds)
            rows = store.reader.head() - before
    return [
        Row(
            what="answered to visible in every read model",
            measured=f"p99 {outcome.visible.p99:.1f} ms",
            compared_with=f"{outcome.rate:,.0f} orders/s, open loop",
            target="p99 50 ms",
            latency=outcome.visible,
            rows_per_order=rows / (RATE * seconds),
            notes=f"{outcome.visible_at_once:.0%} were visible before the answer; "
            f"due to answered {outcome.answered} ms; {outcome.refused} refused",
        )
    ]


def _generate(server: Served, seconds: int) -> Visibility:
    (requests,) = singles(Orders(server), "/v2/orders", connections=1, each=20_000)
    plan = Plan(
        host="127.0.0.1",
        port=server.port,
        redis_url=server.places.redis_url,
        rate=RATE,
        seconds=seconds,
        warm=seconds / 5,
        connections=CONNECTIONS,
        requests=requests,
    )
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        Path(file.name).write_bytes(msgspec.json.encode(plan))
        process = subprocess.run(
            [sys.executable, "-m", "benchmarks.visible_load", file.name],
            stdout=subprocess.PIPE,
            timeout=seconds + 60,
            check=True,
        )
    return msgspec.json.decode(process.stdout, type=Visibility)
