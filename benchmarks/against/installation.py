"""A whole server of one checkout in a home of its own, and what its orders cost.

The server starts as `bourse run` does, with its own embedded Postgres and Redis, its
projector and its demo market. It takes no snapshots, because one would fall into the
turn of one side only; the question `restart` measures them.
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
from benchmarks.processor_time import Used, used_until_now
from benchmarks.served import Server, free_port
from infra.local import postgres
from infra.local.servers import start_postgres, start_redis, stop_redis

#: More events than any run records.
NO_SNAPSHOTS = "1000000000"
STOP_SECONDS = 60.0
LOOK_SECONDS = 0.25
#: Of one core. An idle server renews its lease, and its projector looks at the log.
IDLE_SHARE = 0.1
IDLE_SECONDS_MAX = 120.0


class Turn(msgspec.Struct, frozen=True):
    """What one turn used, and how many orders it brought in."""

    used: Used
    orders: int

    def micros(self) -> dict[str, float]:
        """Microseconds of processor time an order, by who used them."""
        return {
            name: seconds / self.orders * 1e6
            for name, seconds in self.used.by_name.items()
        }


class Installation(msgspec.Struct, frozen=True):
    """A server that runs, and the Postgres and Redis that are its own."""

    server: Server
    services: Sequence[tuple[str, int]] = ()

    def turn(self, requests: list[list[str]], *, seconds: float, orders: int) -> Turn:
        """Send requests for some seconds, and wait until the read models show them.

        The projector may be behind when the last answer comes. Its work belongs to the
        orders of this turn.
        """
        before = self.when_idle()
        outcome = generate(self.server, requests, seconds, Pinning.FREE)
        used = self.when_idle() - before
        return Turn(used, orders * sum(outcome.statuses.values()))

    def when_idle(self) -> Used:
        """Wait until the server and its services are idle; return their times."""
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

    def _used(self) -> Used:
        return used_until_now(self.server.process.pid, self.services)


@contextlib.contextmanager
def installation(checkout: Checkout) -> Generator[Installation]:
    """Start a server of a checkout, fund its traders; remove everything at the end."""
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
            server.wait_until_told()
            server.fund()
            services = [
                ("Postgres", start_postgres(home).pid),
                ("Redis", start_redis(home).pid),
            ]
            yield Installation(server, services)


@contextlib.contextmanager
def no_op() -> Generator[Installation]:
    """Start the server that does nothing; both sides are compared with the same one."""
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
        # The account of an embedded Postgres must be able to come in.
        home.chmod(0o711)
        try:
            yield home
        finally:
            # A server stops both at its end, unless it crashes.
            stop_redis(home)
            postgres.remove(home)


@contextlib.contextmanager
def _ending(process: subprocess.Popen[bytes]) -> Generator[None]:
    try:
        yield
    finally:
        process.terminate()
        process.wait(STOP_SECONDS)
