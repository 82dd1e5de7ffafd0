"""How a server begins and ends, whatever happens just then."""

import json
import signal
from pathlib import Path

import psutil
import pytest

from tests.support.server_process import ServerProcess, wait_until


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def servers_of(home: Path) -> list[str]:
    """The command lines of the embedded servers that still run for a home."""
    places = {str(home)}
    remembered = home / "postgres" / "server.json"
    if remembered.exists():
        places.add(json.loads(remembered.read_bytes()).get("elsewhere") or str(home))
    found: list[str] = []
    for process in psutil.process_iter(["cmdline"]):
        line = " ".join(process.info["cmdline"] or [])
        if any(place in line for place in places):
            found.append(line)
    return found


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_asked_to_end_while_it_starts_a_server_leaves_none_behind(
    home: Path, number: signal.Signals
) -> None:
    server = ServerProcess(home).start()
    try:
        wait_until("Postgres runs", (home / "redis").exists, 60)
        server.signal(number)

        assert server.process is not None
        assert server.process.wait(60) == 0, server.log_tail()
        assert servers_of(home) == []
    finally:
        server.end()


def test_postgres_may_die_while_the_demonstration_market_is_seeded(home: Path) -> None:
    server = ServerProcess(home).start()
    try:
        wait_until("seeding begins", (home / "demo.json").exists, 60)
        server.kill_postgres()

        server.wait_ready("leader")
        assert all(trader["account_id"] for trader in server.demo["traders"])
    finally:
        server.end()
