"""How long after its acknowledgement does an order show in the read models?

1,000 orders a second through HTTP, open loop; for each, the time from its answer to the
message of the write after which every read model shows its log position.
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
from benchmarks.visible_load import Plan, Seen
from infra.log.event_store import PostgresEventStore

NAME = "visible"
RATE = 1_000
CONNECTIONS = 64


def measure(suite: Suite) -> list[Row]:
    with served(suite.places(), demo=True) as server:
        server.wait_until_told()
        server.fund()
        with PostgresEventStore(server.places.database_url) as store:
            before = store.reader.head()
            wait_for_views(server.places.redis_url, before)
            seconds = suite.scaled(20, 5)
            seen = _generate(server, seconds)
            rows = store.reader.head() - before
    return [
        Row(
            what="acknowledged to visible in every read model",
            measured=f"p99 {seen.visible.p99:.1f} ms",
            beside=f"{seen.rate:,.0f} orders/s, open loop",
            target="p99 50 ms",
            latency=seen.visible,
            rows_per_order=rows / (RATE * seconds),
            notes=f"{seen.visible_at_once:.0%} were visible before the answer came; "
            f"due to answered {seen.answered} ms; {seen.refused} refused",
        )
    ]


def _generate(server: Served, seconds: int) -> Seen:
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
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.visible_load", file.name],
            stdout=subprocess.PIPE,
            timeout=seconds + 60,
            check=True,
        )
    return msgspec.json.decode(done.stdout, type=Seen)
