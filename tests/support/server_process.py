"""A whole server as a separate process, as `bourse run` starts it."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil

from infra.local.servers import start_postgres
from tests.support import calls
from tests.support.calls import Call

READY_SECONDS = 90.0
POLL_SECONDS = 0.05


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(what: str, holds: Callable[[], bool], seconds: float) -> None:
    """Wait for a condition, or fail with its name."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(POLL_SECONDS)


def _hear_hangups() -> None:
    """Restore SIGHUP in the child, because the tests may run under nohup."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class ServerProcess:
    """One server of one home. After a restart it has a new pid."""

    def __init__(
        self,
        home: Path,
        environment: Mapping[str, str] | None = None,
        *,
        program: str = "infra.cli.commands",
    ) -> None:
        self.program = program
        self.home = home
        self.port = free_port()
        self.environment = dict(environment or {})
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def run(self) -> dict[str, Any]:
        return json.loads((self.home / "run.json").read_bytes())

    @property
    def demo(self) -> dict[str, Any]:
        return json.loads((self.home / "demo.json").read_bytes())

    def variables(self) -> dict[str, str]:
        """Return the environment of this server and of its commands."""
        return {
            **os.environ,
            "BOURSE_HOME": str(self.home),
            "BOURSE_PORT": str(self.port),
            "BOURSE_LOG_FORMAT": "json",
            **self.environment,
        }

    def start(self) -> "ServerProcess":
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", self.program, "run"],
                env=self.variables(),
                stdout=log,
                stderr=log,
                preexec_fn=_hear_hangups,  # noqa: PLW1509 - one call
            )
        return self

    def readiness(self) -> dict[str, Any] | None:
        """Return the server's readiness, or None if it does not answer."""
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=2).json()
        except (httpx.HTTPError, ValueError):
            return None

    def is_ready(self, role: str | None = None) -> bool:
        found = self.readiness()
        if found is None or not found["ready"]:
            return False
        return role in (None, found["role"])

    def wait_ready(self, role: str | None = None) -> "ServerProcess":
        """Wait until the server is ready, in a role if one is named, with its files."""

        def ready() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log_tail()
            written = (self.home / "run.json").exists()
            return (
                self.is_ready(role)
                and written
                and self.run["role"] == (role or self.run["role"])
            )

        try:
            wait_until(f"{self.url} is ready", ready, READY_SECONDS)
        except AssertionError as reason:
            raise AssertionError(f"{reason}\n{self.log_tail()}") from reason
        return self

    def log_tail(self) -> str:
        return (self.home / "server.log").read_text()[-4_000:]

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """Kill the server's processes, as a power cut would."""
        self.signal(signal.SIGKILL)
        assert self.process is not None
        self.process.wait()
        (self.home / "run.json").unlink(missing_ok=True)

    def end(self) -> None:
        """Stop the server in an orderly way, with its Postgres and Redis."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        stopped = self.stop()
        assert stopped.returncode == 0, stopped.stderr

    def stop(self) -> subprocess.CompletedProcess[str]:
        """Stop the home, as `make stop` does."""
        return self._run("infra.local.shutdown")

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run `bourse …` while this server runs."""
        return self._run(self.program, *words)

    def _run(self, module: str, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", module, *words],
            env=self.variables(),
            capture_output=True,
            text=True,
            check=False,
        )

    def ask(self, call: Call, token: str = "", timeout: float = 10) -> httpx.Response:
        """Send a request and return the answer, whatever its status."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        url = f"{self.url}{call.path}"
        return httpx.request(
            call.method, url, json=call.body, headers=headers, timeout=timeout
        )

    def token(self, person: Mapping[str, str]) -> str:
        answer = self.ask(calls.log_in(person["email"], person["password"]))
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def wait_caught_up(self, seconds: float = READY_SECONDS) -> None:
        """Wait until every view shows the whole log."""

        def caught_up() -> bool:
            found = self.readiness()
            return bool(found and found["lag"]) and not any(
                lag is None or lag for lag in (found or {})["lag"].values()
            )

        wait_until("the views have caught up", caught_up, seconds)

    def kill_postgres(self) -> None:
        """Kill all processes of the embedded Postgres."""
        postmaster = psutil.Process(start_postgres(self.home).pid)
        for process in (postmaster, *postmaster.children(recursive=True)):
            process.kill()
