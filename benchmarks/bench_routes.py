"""What does an order save if it is found before Litestar's router (ADR 19)?

    python -m benchmarks.bench_routes

The same orders take turns on one server: `/v2/orders` is found by one look-up, and
`//v2/orders`, another spelling of the path, through the router. Both run the same
route. Every second round goes in the other order. The table gives microseconds of
processor time of the server's loop for each order: the median of the rounds and their
range.
"""

from statistics import median

from benchmarks.bench_http import CONNECTIONS, generate
from benchmarks.cores import Pinning
from benchmarks.http_requests import Orders, singles
from benchmarks.processor_time import processor_time
from benchmarks.projector import wait_for_views
from benchmarks.served import Served, served
from benchmarks.suite import Suite
from infra.log.event_store import PostgresEventStore

PATHS = {"look-up": "/v2/orders", "router": "//v2/orders"}
ROUNDS = 9
SECONDS = 3.0
REQUESTS = 400


def main() -> None:
    with Suite(quick=False) as suite, served(suite.places(), demo=True) as server:
        server.wait_until_seeded()
        server.fund()
        orders = Orders(server)
        loads = {
            name: singles(orders, path, connections=CONNECTIONS, each=REQUESTS)
            for name, path in PATHS.items()
        }
        micros: dict[str, list[float]] = {name: [] for name in PATHS}
        for number in range(ROUNDS + 1):
            for name in sorted(PATHS, reverse=bool(number % 2)):
                used = _turn(server, loads[name])
                # The first round is the warm-up.
                if number:
                    micros[name].append(used)
    for name, each in micros.items():
        print(f"{name:8} {median(each):5.1f} us [{min(each):.1f}..{max(each):.1f}]")


def _turn(server: Served, load: list[list[str]]) -> float:
    """Send orders for some seconds; return the loop's microseconds for each order."""
    with PostgresEventStore(server.places.database_url) as store:
        wait_for_views(server.places, store.reader.head())
    before = processor_time(server.process.pid, [])
    outcome = generate(server, load, SECONDS, Pinning.FREE)
    used = processor_time(server.process.pid, []) - before
    return used.by_name["loop"] / sum(outcome.statuses.values()) * 1e6


if __name__ == "__main__":
    main()
