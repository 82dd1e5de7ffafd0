"""The process that keeps the read models: `python -m infra.server.projector`.

It follows the log of DATABASE_URL and writes the live read models to REDIS_URL, those
that grow with history to Postgres. Only the projector that holds an advisory lock in
Postgres works; others wait for the lock. Two at work would only slow each other down,
because each write names the checkpoint that it builds on.

A projector whose standard input is a pipe ends when its parent process dies. Started by
hand or by a container, a projector ends by a signal only.
"""

import os
import select
import signal
import stat
import sys
import threading
from time import monotonic
from types import FrameType
from uuid import uuid4

import psycopg
import structlog
from psycopg.rows import TupleRow

from commands.ports import LogUnavailable
from infra.log.connection import connect
from infra.log.event_store import PostgresEventStore
from infra.runtime.logging_setup import write_in_background
from infra.runtime.settings import read_settings
from infra.views.homes import by_home, view_stores
from processors.follower import SharedReader, follow_log
from processors.runner import Runner
from projections.register import PROJECTIONS
from projections.store import Home

#: The key of the advisory lock in the database.
LOCK = 0x626F_7572_7365
LOOK_SECONDS = 1.0
#: The time from one write to the next under load. A write to Postgres has a high fixed
#: cost, which many facts should share.
PACE_SECONDS = {Home.LIVE: 0.005, Home.HISTORY: 0.1}

# Not __name__, which is `__main__` here.
_log = structlog.get_logger("infra.server.projector")


class Turn:
    """The right to project, held while its own connection to Postgres lives."""

    def __init__(self, database_url: str) -> None:
        self._database_url = database_url
        self._connection: psycopg.Connection[TupleRow] | None = None
        self._is_held = False
        self._looked = 0.0

    def held(self) -> bool:
        """Return whether this process may work. Take the turn if it is free."""
        if self._is_held and monotonic() < self._looked + LOOK_SECONDS:
            return True
        try:
            return self._take()
        except psycopg.Error:
            self.close()
            return False

    def _take(self) -> bool:
        if self._connection is None:
            # Open while waiting, too: it shows others that this database is in use.
            self._connection = connect(self._database_url, name="bourse-projector")
            self._is_held = False
        if self._is_held:
            self._connection.execute("SELECT 1")
        else:
            row = self._connection.execute(
                "SELECT pg_try_advisory_lock(%s)", (LOCK,)
            ).fetchone()
            if row is None or not row[0]:
                return False
            self._is_held = True
            _log.info("projecting")
        self._looked = monotonic()
        return True

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
        self._is_held = False


def stop_with_parent(stop: threading.Event) -> None:
    """Set `stop` when the parent process dies, if standard input is a pipe from it."""
    mode = os.fstat(sys.stdin.fileno()).st_mode
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return
    parent = os.getppid()

    def watch() -> None:
        while not stop.is_set():
            readable, _, _ = select.select([sys.stdin.fileno()], [], [], LOOK_SECONDS)
            ended = bool(readable) and not os.read(sys.stdin.fileno(), 1024)
            # Another process may keep the other end of the pipe open.
            if ended or os.getppid() != parent:
                stop.set()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def project(database_url: str, redis_url: str, stop: threading.Event) -> None:
    """Keep the views until `stop` is set. Wait for a log if there is none yet."""
    turn = Turn(database_url)
    logged = ""
    while not stop.is_set():
        try:
            with (
                PostgresEventStore(database_url) as events,
                view_stores(database_url, redis_url) as stores,
            ):
                reader = SharedReader(events.reader)
                runners = [
                    Runner(
                        reader,
                        store,
                        new_id=lambda: uuid4().hex,
                        types=types,
                        pace_seconds=PACE_SECONDS[types[0].view.home],
                        name=f"{types[0].view.home} views",
                    )
                    for store, types in by_home(stores, PROJECTIONS)
                ]
                follow_log(reader, runners, stop, may_work=turn.held)
        except LogUnavailable as reason:
            if str(reason) != logged:
                logged = str(reason)
                _log.warning("there is no log to follow yet", reason=logged)
            stop.wait(LOOK_SECONDS)
    turn.close()


def main() -> int:
    settings = read_settings()
    write_in_background(form=settings.log_format, level=settings.log_level)
    if settings.database_url is None or settings.redis_url is None:
        _log.error("a projector needs DATABASE_URL and REDIS_URL")
        return 2
    stop = threading.Event()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    stop_with_parent(stop)
    project(settings.database_url, settings.redis_url, stop)
    return 0


if __name__ == "__main__":
    sys.exit(main())
