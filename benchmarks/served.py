"""A server of its own for one measurement, with its services, in a folder that goes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import httpx
import msgspec

from infra.demo import Demo

START_SECONDS = 60.0


class Served(msgspec.Struct):
    """A running server: its pid, its address, its services, and its demo accounts."""

    pid: int
    host: str
    port: int
    database_url: str
    redis_url: str
    demo: Demo

    @property
    def base_url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def token(self, email: str, password: str) -> str:
        answer = httpx.post(
            f"{self.base_url}/auth/login", json={"email": email, "password": password}
        )
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def fund(self, cash: str = "1000000000", shares: str = "100000000") -> None:
        """Give the demo traders enough for any load."""
        token = self.token(self.demo.admin.email, self.demo.admin.password)
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=self.base_url, headers=headers) as client:
            for trader in self.demo.traders:
                account = f"/v2/admin/accounts/{trader.account_id}"
                body = {"amount": cash, "reference": "load"}
                client.post(f"{account}/deposits", json=body).raise_for_status()
                for symbol in self.demo.symbols:
                    grant = {"symbol": symbol, "qty": shares, "price": "1"}
                    client.post(f"{account}/shares", json=grant).raise_for_status()


@contextlib.contextmanager
def served(port: int, cpus: set[int] | None = None) -> Generator[Served]:
    """Start a server with the benchmarks' no-op route, and end it."""
    with tempfile.TemporaryDirectory(prefix="bourse-bench-") as folder:
        environment = {
            **os.environ,
            "BOURSE_HOME": folder,
            "BOURSE_PORT": str(port),
            "BOURSE_LOG_LEVEL": "warning",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.serve"], env=environment
        )
        try:
            yield _when_ready(process, Path(folder), port, cpus)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)


def _when_ready(
    process: subprocess.Popen[bytes], home: Path, port: int, cpus: set[int] | None
) -> Served:
    deadline = time.monotonic() + START_SECONDS
    while not (home / "run.json").exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError("the server did not become ready")
        time.sleep(0.05)
    if cpus is not None:
        os.sched_setaffinity(process.pid, cpus)
    run = json.loads((home / "run.json").read_bytes())
    demo = msgspec.json.decode((home / "demo.json").read_bytes(), type=Demo)
    return Served(
        process.pid, "127.0.0.1", port, run["database_url"], run["redis_url"], demo
    )
