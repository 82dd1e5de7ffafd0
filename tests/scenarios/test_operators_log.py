"""What an operator sees of real servers: each change of state, and their metrics."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from infra.local.servers import start_postgres, start_redis
from tests.support import calls
from tests.support.server_process import ServerProcess, wait_until
from tests.support.standing_still import standing_still

SECONDS = 60.0
PATIENCE = 2.0


class Operator:
    """A server, and what its operator reads of it."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server
        self._read = 0

    def lines(self) -> list[Any]:
        text = (self.server.home / "server.log").read_text()
        return [json.loads(each) for each in text.splitlines() if each[:1] == "{"]

    def sees(self, *events: str) -> list[Any]:
        """Wait for lines about these events, in any order, after those seen before."""
        seen: list[Any] = []

        def logged() -> bool:
            nonlocal seen
            seen = self.lines()[self._read :]
            return set(events) <= {each["event"] for each in seen}

        try:
            wait_until(f"lines about {events}", logged, SECONDS)
        except AssertionError as reason:
            raise AssertionError(f"{reason}\n{self.server.log_tail()}") from reason
        self._read += len(seen)
        return seen

    def metrics(self) -> dict[tuple[str, ...], float]:
        """Return the value of each sample by its name and labels."""
        answer = httpx.get(f"{self.server.url}/metrics", timeout=PATIENCE)
        return {
            (sample.name, *map(str, sample.labels.values())): sample.value
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
        }

    def counts(self, **wanted: float) -> None:
        """Wait until the orders are counted like this. A page may be a second old."""

        def counted() -> bool:
            metrics = self.metrics()
            return all(
                metrics["bourse_orders_total", name] == count
                for name, count in wanted.items()
            )

        wait_until(f"{wanted}", counted, SECONDS)


def projector_of(server: ServerProcess) -> psutil.Process:
    assert server.process is not None
    (projector,) = [
        child
        for child in psutil.Process(server.process.pid).children()
        if "infra.server.projector" in child.cmdline()
    ]
    return projector


@pytest.fixture
def operator(tmp_path: Path) -> Generator[Operator]:
    server = ServerProcess(tmp_path / "home")
    try:
        yield Operator(server.start().wait_ready("leader"))
    finally:
        server.end()


def test_what_dies_and_comes_back_leaves_a_line_each_time(operator: Operator):
    server = operator.server
    operator.sees("leading", "ready", "projecting")

    projector_of(server).kill()
    operator.sees("child_ended", "child_restarted", "projecting")

    os.kill(start_redis(server.home).pid, signal.SIGKILL)
    operator.sees("redis_down", "local_server_restarted", "redis_up")

    server.kill_postgres()
    operator.sees("lead_lost", "local_server_restarted", "leading")

    wait_until("ready", server.is_ready, SECONDS)
    metrics = operator.metrics()
    assert metrics["bourse_child_restarts_total", "projector"] == 1
    assert metrics["bourse_reconnects_total", "redis"] >= 1
    assert metrics["bourse_leads_total",] == 2


def test_metrics_answer_while_postgres_and_redis_stand_still(operator: Operator):
    home = operator.server.home
    operator.sees("ready")

    with ExitStack() as stack:
        for start in (start_postgres, start_redis):
            stack.enter_context(standing_still(start(home).pid))
        operator.sees("postgres_down", "redis_down", "lead_lost")
        # The patience of the client is two seconds.
        metrics = operator.metrics()
    assert metrics["bourse_store_up", "postgres"] == 0
    assert metrics["bourse_store_up", "redis"] == 0
    assert metrics["bourse_role", "leader"] == 0

    operator.sees("postgres_up", "redis_up", "leading")


def test_a_view_that_stands_still_is_stale(operator: Operator):
    server = operator.server
    token = server.token(server.demo["traders"][0])
    symbol = server.demo["symbols"][0]

    with standing_still(projector_of(server).pid):
        server.ask(calls.place(symbol=symbol, limit_price="90"), token)
        (stale,) = [
            each
            for each in operator.sees("views_stale")
            if "views_stale" in each["event"]
        ]
    assert stale["lag"]["orders"] > 0
    operator.sees("views_current")


def test_two_servers_say_who_leads(operator: Operator, tmp_path: Path):
    first = operator.server
    operator.sees("ready")
    places = {
        "DATABASE_URL": first.run["database_url"],
        "REDIS_URL": first.run["redis_url"],
    }
    second = ServerProcess(tmp_path / "second", places)
    other = Operator(second.start().wait_ready("standby"))
    try:
        other.sees("standing_by", "ready")
        assert first.process is not None

        with standing_still(first.process.pid, alone=True):
            other.sees("recovering", "leading", "ready")
        operator.sees("lead_lost", "standing_by")

        second.signal(signal.SIGTERM)
        other.sees("stopping", "lead_returned", "ended")
        operator.sees("recovering", "leading", "ready")
    finally:
        second.end()


def test_the_counters_are_what_was_done(operator: Operator):
    server = operator.server
    admin = server.token(server.demo["admin"])
    trader = server.token(server.demo["traders"][0])
    symbol, halted = server.demo["symbols"][:2]
    before = operator.metrics()
    server.ask(calls.halt(halted), admin)

    for _ in range(3):
        server.ask(calls.place(symbol=symbol, limit_price="90"), trader)
    rejected = server.ask(calls.place(symbol=halted, limit_price="90"), trader)
    refused = server.ask(calls.place(symbol="NOPE"), trader)
    wrong = server.ask(calls.log_in(server.demo["traders"][0]["email"], "wrong!!!"))
    server.wait_caught_up()

    assert rejected.json()["status"] == "rejected"
    assert (refused.status_code, wrong.status_code) == (422, 401)
    operator.counts(accepted=3, rejected=1, refused=1, canceled=0)
    metrics = operator.metrics()
    counts = {
        ("bourse_refusals_total", "unknown-symbol"): 1,
        ("bourse_refusals_total", "bad-credentials"): 1,
        ("bourse_facts_total", "market.order-accepted"): 3,
        ("bourse_http_request_duration_seconds_count", "POST", "/v2/orders", "2xx"): 4,
        ("bourse_http_request_duration_seconds_count", "POST", "/v2/orders", "4xx"): 1,
        ("bourse_open_orders",): 3,
        ("bourse_queue_depth",): 0,
        ("bourse_role", "leader"): 1,
        ("bourse_view_up", "orders"): 1,
        ("bourse_view_lag_positions", "orders"): 0,
        ("bourse_log_lines_dropped_total",): 0,
    }
    assert {name: metrics[name] for name in counts} == counts
    commits = ("bourse_commit_duration_seconds_count",)
    assert metrics[commits] - before[commits] == 6
    assert metrics["process_resident_memory_bytes",] > 50e6
    failed = [each for each in operator.lines() if each["event"] == "login_failed"]
    assert [each["reason"] for each in failed] == ["bad-credentials"]
    text = (server.home / "server.log").read_text().partition("Accounts")[0]
    assert server.demo["traders"][0]["email"] not in text


def test_a_reader_of_the_log_that_stands_still_stalls_no_request(tmp_path: Path):
    server = ServerProcess(tmp_path / "home", {"BOURSE_LOG_LEVEL": "debug"})
    server.home.mkdir()
    server.process = subprocess.Popen(
        [sys.executable, "-m", "infra.cli.commands", "run"],
        env=server.variables(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    operator = Operator(server)

    def dropped() -> bool:
        # Much more than the pipe and the queue hold.
        for _ in range(2_000):
            client.get("/health/live").raise_for_status()
        return operator.metrics()["bourse_log_lines_dropped_total",] > 0

    try:
        wait_until("ready", server.is_ready, SECONDS)
        with httpx.Client(base_url=server.url, timeout=PATIENCE) as client:
            wait_until("lines are dropped", dropped, SECONDS)
    finally:
        server.end()
        assert server.process.stderr is not None
        server.process.stderr.close()
