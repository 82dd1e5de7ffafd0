"""How fast does a server restart with a million events in the log?

The first figure is the replay alone, compared with reading and decoding. The others are
a real server, from the start of its process until it reports that it is ready and
leads: with a snapshot of the head, with the oldest snapshot that the server allows, and
without one. Postgres, Redis and the views are there already.
"""

from statistics import median

import psycopg

from benchmarks.from_log import run_pass
from benchmarks.long_log import LongLog, long_log, take_snapshot
from benchmarks.projector import projecting, wait_for_views
from benchmarks.served import served
from benchmarks.suite import Suite
from benchmarks.table import Row
from commands.writer.leadership import WriterState
from infra.log.event_store import PostgresEventStore

NAME = "restart"


def measure(suite: Suite) -> list[Row]:
    log = long_log(suite)
    rounds = suite.scaled(3, 1)
    replays = [run_pass("replay", log.places).rate for _ in range(rounds)]
    reads = [run_pass("read", log.places).rate for _ in range(rounds)]
    rate, read = median(replays), median(reads)
    return [
        Row(
            what="full replay into the writer's state",
            measured=f"{rate:,.0f} events/s",
            compared_with=f"reading and decoding the log {read:,.0f} events/s",
            ratio=rate / read,
            target="150,000/s",
            notes=f"{log.events:,} events",
        ),
        *_starts(log, rounds),
    ]


def _starts(log: LongLog, rounds: int) -> list[Row]:
    url = log.places.database_url
    with projecting(log.places), PostgresEventStore(url) as store:
        wait_for_views(log.places, store.reader.head())
    # The first start creates the keys of the installation and rolls the day.
    _start(log)
    oldest = _row("with the oldest snapshot", log, rounds, target="5 s")
    take_snapshot(url)
    newest = _row("with a snapshot of the head", log, rounds, target="5 s")
    with psycopg.connect(url) as connection:
        connection.execute("DELETE FROM snapshot_index")
    return [newest, oldest, _row("without a snapshot", log, rounds, target="")]


def _row(what: str, log: LongLog, rounds: int, *, target: str) -> Row:
    seconds = sorted(_start(log) for _ in range(rounds))
    spread = f"{seconds[0]:.1f} to {seconds[-1]:.1f} s"
    after = f"{log.after_snapshot:,} events after it; " if "oldest" in what else ""
    return Row(
        what=f"start of a server until it leads, {what}",
        measured=f"{median(seconds):.1f} s",
        target=target,
        notes=after + spread,
    )


def _start(log: LongLog) -> float:
    with served(log.places) as server:
        return server.wait_until(
            lambda readiness: (
                readiness.ready and readiness.role == WriterState.LEADER.value
            )
        )
