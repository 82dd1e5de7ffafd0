"""A server survives mishaps. `make prove` runs the same for longer."""

import signal
from pathlib import Path

import pytest

from tests.support import survival
from tests.support.server_process import ServerProcess


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def test_a_killed_server_comes_back_with_every_acknowledged_order(home: Path) -> None:
    with survival.running(home) as server:
        assert survival.kills(server, rounds=2) > 0


def test_a_flushed_redis_heals_under_load(home: Path) -> None:
    with survival.running(home) as server:
        survival.flushes(server, rounds=1)


def test_service_returns_by_itself_when_postgres_was_killed(home: Path) -> None:
    with survival.running(home) as server:
        survival.postgres_deaths(server, rounds=1)


def test_a_standby_takes_over_from_a_stopped_leader(home: Path, tmp_path: Path) -> None:
    with survival.running(home) as first:
        second = survival.standby_of(first, tmp_path / "second")
        try:
            survival.failover(first, second, survival.tokens_of(first))
        finally:
            second.end()


def test_a_standby_keeps_the_servers_of_the_home_that_ended(
    home: Path, tmp_path: Path
) -> None:
    with survival.running(home) as first:
        second = survival.standby_of(first, tmp_path / "second")
        try:
            first.signal(signal.SIGTERM)
            assert first.process is not None
            assert first.process.wait(60) == 0, first.log_tail()
            stop = first.stop()

            second.wait_ready("leader")
            assert second.token(first.demo["traders"][0])
            assert stop.returncode == 1
            assert "another server of Bourse" in stop.stderr
        finally:
            second.end()
        # Now no server is left that uses them.
        assert first.stop().returncode == 0


def test_a_second_server_in_one_home_says_why_it_does_not_start(home: Path) -> None:
    with survival.running(home) as server:
        other = ServerProcess(home)

        done = other.command("run")

        assert done.returncode == 1
        assert "already running" in done.stderr
        assert server.is_ready("leader")
