"""A projector process during a benchmark, and the log position of its views."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Generator, Mapping

import psutil

from benchmarks.suite import Places
from domain.ids import LogPosition
from infra.server.server import PROJECTOR_NICENESS
from infra.views.homes import by_home, view_stores
from projections.register import PROJECTIONS
from projections.store import Home, Request, Store

CATCH_UP_SECONDS = 300.0


def views_position(stores: Mapping[Home, Store]) -> LogPosition | None:
    """Return the log position of the slowest view; None while one is being filled."""
    answers = [
        answer
        for store, types in by_home(stores, PROJECTIONS)
        for answer in store.read([Request(each.view, ()) for each in types])
    ]
    positions = [answer.checkpoint for answer in answers if answer is not None]
    return min(positions) if len(positions) == len(answers) else None


def wait_for_views(places: Places, head: LogPosition) -> None:
    """Wait until every view has reached `head`."""
    deadline = time.monotonic() + CATCH_UP_SECONDS
    with view_stores(places.database_url, places.redis_url) as stores:
        while (views_position(stores) or 0) < head:
            assert time.monotonic() < deadline, "the views did not catch up"
            time.sleep(0.02)


@contextlib.contextmanager
def projecting(places: Places) -> Generator[None]:
    """Run a projector on a log, as the server starts it."""
    environment = {
        **os.environ,
        "DATABASE_URL": places.database_url,
        "REDIS_URL": places.redis_url,
        "BOURSE_LOG_LEVEL": "warning",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "infra.server.projector"],
        stdin=subprocess.PIPE,
        env=environment,
    )
    psutil.Process(process.pid).nice(PROJECTOR_NICENESS)
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)
