"""A real server process for one benchmark, with a private database and Redis."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from pathlib import Path

import httpx
import msgspec

from api.health import Readiness
from benchmarks.suite import Places
from infra.server.demo import Demo

START_SECONDS = 300.0
POLL_SECONDS = 0.01
NOT_FOUND = 404


class Server(msgspec.Struct):
    """A running server: its process, its address, its home."""

    process: subprocess.Popen[bytes]
    started: float
    port: int
    home: Path

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def demo(self) -> Demo:
        """The demo accounts. They exist after `wait_until_seeded`."""
        return msgspec.json.decode((self.home / "demo.json").read_bytes(), type=Demo)

    def wait_until_seeded(self) -> None:
        """Wait for `run.json`: the server is ready and has seeded the demo market."""
        self._wait((self.home / "run.json").exists)

    def wait_until_listening(self) -> None:
        """Wait until the server accepts connections."""
        self._wait(self._listens)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def wait_until(self, holds: Callable[[Readiness], bool]) -> float:
        """Wait for a readiness; return the seconds since the start of the server."""
        with httpx.Client(base_url=self.base_url, timeout=5) as client:
            self._wait(lambda: self._reports(client, holds))
        return time.perf_counter() - self.started

    def _reports(
        self, client: httpx.Client, holds: Callable[[Readiness], bool]
    ) -> bool:
        try:
            answer = client.get("/health/ready")
            return holds(msgspec.json.decode(answer.content, type=Readiness))
        except (httpx.HTTPError, msgspec.MsgspecError):
            return False

    def _wait(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not holds():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("the server did not become ready")
            time.sleep(POLL_SECONDS)

    def token(self, email: str, password: str) -> str:
        answer = httpx.post(
            f"{self.base_url}/auth/login", json={"email": email, "password": password}
        )
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def fund(self, cash: str = "10000000000", shares: str = "100000000") -> None:
        """Give the demo traders the cash, shares and cap for any load.

        Take bands and fees off the instruments: the demos of older checkouts have none,
        and the orders of both sides must cost the same.
        """
        demo = self.demo
        token = self.token(demo.admin.email, demo.admin.password)
        headers = {"Authorization": f"Bearer {token}"}
        terms = {"price_band": None, "maker_fee_bps": 0, "taker_fee_bps": 0}
        with httpx.Client(base_url=self.base_url, headers=headers) as client:
            for symbol in demo.symbols:
                asset = f"/v2/admin/assets/{symbol}"
                client.patch(asset, json=terms).raise_for_status()
            for trader in demo.traders:
                account = f"/v2/admin/accounts/{trader.account_id}"
                body = {"amount": cash, "reference": "load"}
                client.post(f"{account}/deposits", json=body).raise_for_status()
                limits = {"max_open_orders": 1_000_000}
                answer = client.put(f"{account}/limits", json=limits)
                # An older checkout has no cap, and no route for it.
                if answer.status_code != NOT_FOUND:
                    answer.raise_for_status()
                for symbol in demo.symbols:
                    grant = {"symbol": symbol, "qty": shares, "price": "1"}
                    grant["reference"] = f"load {symbol}"
                    client.post(f"{account}/shares", json=grant).raise_for_status()


class Served(Server):
    """A server on a database and a Redis of the suite."""

    places: Places


@contextlib.contextmanager
def served(places: Places, *, demo: bool = False) -> Generator[Served]:
    """Start a server with the no-op route, and stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="bourse-bench-") as folder:
        port = free_port()
        environment = {
            **os.environ,
            "BOURSE_HOME": folder,
            "BOURSE_PORT": str(port),
            "BOURSE_DEMO": str(int(demo)),
            "BOURSE_LOG_LEVEL": "warning",
            "DATABASE_URL": places.database_url,
            "REDIS_URL": places.redis_url,
        }
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.serve"],
            env=environment,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield Served(process, started, port, Path(folder), places)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
