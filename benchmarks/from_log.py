"""Passes over a whole log, each in a new process that measures its time.

python -m benchmarks.from_log read|replay|rebuild DATABASE_URL REDIS_URL
"""

import subprocess
import sys
from collections.abc import Callable
from time import perf_counter
from uuid import uuid4

import msgspec

from benchmarks.suite import Places
from commands.ports import LogReader
from commands.writer.recovery import recover
from infra.log.event_store import PostgresEventStore
from infra.server.server import SWITCH_SECONDS
from infra.views.homes import by_home, view_stores
from processors.rebuild import rebuild
from projections.register import PROJECTIONS


class Pass(msgspec.Struct, frozen=True):
    """The number of events and the time of a pass."""

    events: int
    seconds: float

    @property
    def rate(self) -> float:
        return self.events / self.seconds


def run_pass(what: str, places: Places) -> Pass:
    """Run a pass in a new process."""
    process = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.from_log",
            what,
            places.database_url,
            places.redis_url,
        ],
        stdout=subprocess.PIPE,
        check=True,
    )
    return msgspec.json.decode(process.stdout, type=Pass)


def _read(reader: LogReader, _places: Places) -> None:
    for _ in reader.replay(0):
        pass


def _replay(reader: LogReader, _places: Places) -> None:
    recover(reader)


def _rebuild(reader: LogReader, places: Places) -> None:
    with view_stores(places.database_url, places.redis_url) as stores:
        for store, types in by_home(stores, PROJECTIONS):
            reports = rebuild(reader, store, types, new_id=lambda: uuid4().hex)
            assert all(report.switched for report in reports)


PASSES: dict[str, Callable[[LogReader, Places], None]] = {
    "read": _read,
    "replay": _replay,
    "rebuild": _rebuild,
}


def main() -> None:
    what, database_url, redis_url = sys.argv[1:]
    sys.setswitchinterval(SWITCH_SECONDS)
    with PostgresEventStore(database_url) as store:
        events = store.reader.head()
        start = perf_counter()
        PASSES[what](store.reader, Places(database_url, redis_url))
        took = perf_counter() - start
    sys.stdout.buffer.write(msgspec.json.encode(Pass(events, took)))


if __name__ == "__main__":
    main()
