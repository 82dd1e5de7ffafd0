"""The server under attack, with bounds for this machine's addresses too."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from pathlib import Path

import msgspec
import psutil

from benchmarks.served import Server, free_port
from benchmarks.suite import Places

MEGABYTE = 1_000_000
SAMPLE_SECONDS = 0.05
STOP_SECONDS_MAX = 60


class Target(msgspec.Struct, frozen=True):
    """What an attacker knows: the port, and users who may trade."""

    port: int
    tokens: list[str]
    symbol: str


class Victim(Server):
    """A server that was started to be attacked."""

    def target(self) -> Target:
        demo = self.demo
        tokens = [self.token(each.email, each.password) for each in demo.traders]
        return Target(self.port, tokens, demo.symbols[0])

    def end(self) -> float:
        """Send SIGTERM; return the seconds until the server has ended."""
        began = time.perf_counter()
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        return time.perf_counter() - began


@contextlib.contextmanager
def attacked(places: Places, files: int | None) -> Generator[Victim]:
    """Start a server, with a limit of open files if one is named, and stop it."""
    with tempfile.TemporaryDirectory(prefix="bourse-attack-") as folder:
        port = free_port()
        environment = {
            **os.environ,
            "BOURSE_HOME": folder,
            "BOURSE_HOST": "127.0.0.1",
            "BOURSE_PORT": str(port),
            "BOURSE_DEMO": "1",
            "BOURSE_LOG_LEVEL": "error",
            "BOURSE_UNLIMITED_ADDRESSES": "none",
            "DATABASE_URL": places.database_url,
            "REDIS_URL": places.redis_url,
        }

        def limit_files() -> None:
            if files is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))

        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "infra.cli.commands", "run"],
            env=environment,
            stdout=subprocess.DEVNULL,
            preexec_fn=limit_files,  # noqa: PLW1509 - no thread has started yet
        )
        victim = Victim(process, started, port, Path(folder))
        try:
            victim.wait_until_seeded()
            yield victim
        finally:
            if process.poll() is None:
                victim.end()


class MemoryWatch:
    """The growth of a process while the block runs, at its highest."""

    def __init__(self, process: int) -> None:
        self._process = psutil.Process(process)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._before = self._peak = self._bytes()

    def _bytes(self) -> int:
        return int(self._process.memory_info().rss)

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self._peak = max(self._peak, self._bytes())

    def __enter__(self) -> "MemoryWatch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    @property
    def growth_mb(self) -> float:
        return (self._peak - self._before) / MEGABYTE
