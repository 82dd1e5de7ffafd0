"""How many events per second does the log append and replay, and what is the limit?

    python -m benchmarks.bench_log [DATABASE_URL]

Without an address, the program starts an embedded Postgres in a temporary folder. The
ceiling is the same rows in a bare psycopg `insert … select from unnest`, with one
commit per append, on the same table with the same indexes and fsync on. Both take turns
under the same conditions. No projections run meanwhile.
"""

import itertools
import shutil
import sys
import tempfile
import uuid
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from time import perf_counter, process_time
from typing import TypeAlias

import psycopg
from psycopg import sql

from domain.events.event import Meta
from domain.events.market import OrderAccepted
from domain.events.register import Recorded, tag_of
from domain.events.wallet import FundsHeld
from domain.vocabulary import OrderType, SelfTradePrevention, Side, TimeInForce
from infra.local import postgres
from infra.log.event_codec import encode_event
from infra.log.event_store import PostgresEventStore

AT = 1_790_000_000_000_000
SIZES = (1, 10, 100, 1_000)
ROUNDS = 5
SECONDS = 0.6
BARE = (
    "INSERT INTO events (originator_id, originator_version, topic, state) "
    "SELECT * FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::bytea[]) "
    "RETURNING notification_id"
)
Rate: TypeAlias = tuple[float, float]
_versions = itertools.count(1)


def passive_order() -> list[Recorded]:
    """Return the two events of a resting order: 365 bytes each on average."""
    version, order_id = next(_versions), str(uuid.uuid4())
    meta = Meta(AT + version, order_id, order_id)
    held = FundsHeld(meta, order_id, 1_000_000, 10_000)
    accepted = OrderAccepted(
        meta,
        order_id=order_id,
        client_order_id=order_id,
        account_id=order_id,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=100,
        limit_price=1_000_000,
        worst_price=None,
        resting=100,
        self_trade_prevention=SelfTradePrevention.CANCEL_NEWEST,
    )
    return [
        Recorded(f"wallet-{order_id}", version, held),
        Recorded("market-AAPL", version, accepted),
    ]


def batch(size: int) -> list[Recorded]:
    return [each for _ in range(-(-size // 2)) for each in passive_order()][:size]


def bare(connection: psycopg.Connection, events: list[Recorded]) -> None:
    columns = (
        [each.stream for each in events],
        [each.version for each in events],
        [tag_of(type(each.event)) for each in events],
        [encode_event(each.event) for each in events],
    )
    connection.execute(BARE, columns).fetchall()


def rate(act: Callable[[list[Recorded]], object], size: int) -> Rate:
    """Return rows per second, and the client's processor time per row in us."""
    batches = [batch(size) for _ in range(max(8, 2_000 // size))]
    rows = 0
    start, processor = perf_counter(), process_time()
    while batches and perf_counter() - start < SECONDS:
        events = batches.pop()
        act(events)
        rows += len(events)
    used = process_time() - processor
    return rows / (perf_counter() - start), used / rows * 1e6


def measure(database_url: str) -> None:
    with (
        PostgresEventStore(database_url) as store,
        psycopg.connect(database_url, autocommit=True) as connection,
    ):
        writer = store.acquire()
        assert writer is not None, "another server has the lease"
        with closing(writer):
            for size in SIZES:
                ours: list[Rate] = []
                ceiling: list[Rate] = []
                for _ in range(ROUNDS):
                    ours.append(rate(writer.append, size))
                    ceiling.append(rate(lambda each: bare(connection, each), size))
                show(size, sorted(ours)[ROUNDS // 2], sorted(ceiling)[ROUNDS // 2])
        show_replay(store)


def show(size: int, ours: Rate, ceiling: Rate) -> None:
    print(
        f"append {size:5} rows: {ours[0]:9,.0f} rows/s, bare unnest "
        f"{ceiling[0]:9,.0f} rows/s, ratio {ours[0] / ceiling[0]:.2f}, "
        f"client {ours[1]:.1f} us/row, {size / ours[0] * 1e3:.2f} ms/append"
    )


def show_replay(store: PostgresEventStore) -> None:
    start = perf_counter()
    facts = sum(len(each.facts) for each in store.reader.replay(0))
    seconds = perf_counter() - start
    print(f"replay: {facts:,} facts, {facts / seconds:,.0f} facts/s")


def main() -> None:
    if len(sys.argv) > 1:
        measure(sys.argv[1])
        return
    home = Path(tempfile.mkdtemp(prefix="bourse-bench-"))
    home.chmod(0o711)
    try:
        server = postgres.start(home)
        name = sql.Identifier("bench")
        with psycopg.connect(server.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        measure(server.url.rpartition("/")[0] + "/bench")
    finally:
        postgres.remove(home)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main()
