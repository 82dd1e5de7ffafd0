"""A complete server of one checkout with a private home, and the cost of its orders.

The server starts as `bourse run` does, with its own embedded Postgres and Redis, its
projector and its demo market. The server takes no snapshots, because one would fall
into the turn of one side only; the benchmark `restart` measures them.
"""

import contextlib
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Sequence
from pathlib import Path

import msgspec

from benchmarks.against.checkout import ROOT, Checkout
from benchmarks.bench_http import generate
from benchmarks.cores import Pinning
from benchmarks.processor_time import ProcessorTime, processor_time
from benchmarks.served import Server, free_port
from infra.local import postgres
from infra.local.servers import start_postgres, start_redis, stop_redis

#: More events than any run records.
NO_SNAPSHOTS = "1000000000"
STOP_SECONDS = 60.0
LOOK_SECONDS = 0.25
#: The share of one core that an idle server uses for its lease and its projector.
IDLE_SHARE = 0.1
IDLE_SECONDS_MAX = 120.0


class Turn(msgspec.Struct, frozen=True):
    """The processor time of one turn, and its number of orders."""

    used: ProcessorTime
    orders: int

    def micros(self) -> dict[str, float]:
        """Return microseconds of processor time per order, by process."""
        return {
            name: seconds / self.orders * 1e6
            for name, seconds in self.used.by_name.items()
        }


class Installation(msgspec.Struct, frozen=True):
    """A running server with its private Postgres and Redis."""

    server: Server
    services: Sequence[tuple[str, int]] = ()

    def turn(self, requests: list[list[str]], *, seconds: float, orders: int) -> Turn:
        """Send requests for some seconds, and wait until the read models show them.

        The projector may be behind when the last answer arrives. Its work is part of
        the cost of this turn.
        """
        before = self.when_idle()
        outcome = generate(self.server, requests, seconds, Pinning.FREE)
        used = self.when_idle() - before
        return Turn(used, orders * sum(outcome.statuses.values()))

    def when_idle(self) -> ProcessorTime:
        """Wait until server and services are idle; return their processor time."""
        deadline = time.monotonic() + IDLE_SECONDS_MAX
        before, at = self._used(), time.monotonic()
        while True:
            time.sleep(LOOK_SECONDS)
            now, before_at, at = self._used(), at, time.monotonic()
            used = sum((now - before).by_name.values())
            if used < IDLE_SHARE * (at - before_at):
                return now
            assert at < deadline, "the server does not become idle"
            before = now

    def _used(self) -> ProcessorTime:
        return processor_time(self.server.process.pid, self.services)


@contextlib.contextmanager
def installation(checkout: Checkout) -> Generator[Installation]:
    """Start a server of a checkout and fund its traders; remove it at the end."""
    with _home() as home:
        port = free_port()
        process = checkout.start(
            ["run"],
            BOURSE_HOME=str(home),
            BOURSE_PORT=str(port),
            BOURSE_DEMO="1",
            BOURSE_LOG_LEVEL="warning",
            BOURSE_SNAPSHOT_EVERY=NO_SNAPSHOTS,
        )
        with _ending(process):
            server = Server(process, time.perf_counter(), port, home)
            server.wait_until_seeded()
            server.fund()
            services = [
                ("Postgres", start_postgres(home).pid),
                ("Redis", start_redis(home).pid),
            ]
            yield Installation(server, services)


@contextlib.contextmanager
def no_op() -> Generator[Installation]:
    """Start the server that does nothing, the common reference of both sides."""
    with tempfile.TemporaryDirectory(prefix="bourse-against-") as folder:
        port = free_port()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.against.no_op", str(port)], cwd=ROOT
        )
        with _ending(process):
            server = Server(process, time.perf_counter(), port, Path(folder))
            server.wait_until_listening()
            yield Installation(server)


@contextlib.contextmanager
def _home() -> Generator[Path]:
    with tempfile.TemporaryDirectory(prefix="bourse-against-") as folder:
        home = Path(folder)
        # The system user of the embedded Postgres must be able to enter.
        home.chmod(0o711)
        try:
            yield home
        finally:
            # The server stops both itself, unless it crashes.
            stop_redis(home)
            postgres.remove(home)


@contextlib.contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Generator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
