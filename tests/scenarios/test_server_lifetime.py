"""A server starts and stops in an orderly way, whatever happens meanwhile."""

import json
import os
import signal
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import psutil
import psycopg
import pytest
from redis import Redis

from tests.support import calls
from tests.support.calls import Call
from tests.support.server_process import ServerProcess, wait_until


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def servers_of(home: Path) -> list[str]:
    """Return the command lines of the embedded servers that still run for a home."""
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


@pytest.fixture
def frozen_append(
    home: Path, database_url: str, redis_url: str
) -> Generator[ServerProcess]:
    """Yield a leading server whose appending connection gets no answers."""
    server = ServerProcess(
        home, {"DATABASE_URL": database_url, "REDIS_URL": redis_url}
    ).start()
    backend = 0
    try:
        server.wait_ready("leader")
        with psycopg.connect(database_url) as connection:
            row = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
                "AND application_name = 'bourse-writer'"
            ).fetchone()
        assert row is not None
        backend = int(row[0])
        os.kill(backend, signal.SIGSTOP)
        yield server
    finally:
        if backend:
            os.kill(backend, signal.SIGCONT)
        server.end()


def has_unsettled_facts(server: ServerProcess, admin: str) -> bool:
    """Return whether facts wait for their commit: the server then hides its state."""
    try:
        state = Call("GET", "/v2/audit/state")
        server.ask(state, admin, timeout=0.5).raise_for_status()
    except httpx.ReadTimeout:
        return True
    return False


def test_asked_to_end_while_the_log_hangs_it_tells_who_waits_and_ends(
    frozen_append: ServerProcess,
) -> None:
    server = frozen_append
    trader = server.token(server.demo["traders"][0])
    admin = server.token(server.demo["admin"])
    bid = calls.place(qty=1, limit_price=90)
    with ThreadPoolExecutor(1) as client:
        sent = client.submit(server.ask, bid, trader, timeout=60)
        wait_until("it came in", lambda: has_unsettled_facts(server, admin), 20)

        server.signal(signal.SIGTERM)
        answer = sent.result(60)

    assert (answer.status_code, answer.json()["reason"]) == (503, "commit-failed")
    assert server.process is not None
    assert server.process.wait(60) == 0, server.log_tail()


def test_a_redis_that_evicts_keys_is_refused_at_the_start(
    home: Path, database_url: str, redis_url: str
):
    server = ServerProcess(home, {"DATABASE_URL": database_url, "REDIS_URL": redis_url})
    with Redis.from_url(redis_url) as client:
        client.config_set("maxmemory-policy", "allkeys-lru")
        try:
            process = server.start().process
            assert process is not None
            assert process.wait(60) == 1
        finally:
            client.config_set("maxmemory-policy", "noeviction")
            server.end()

    assert "set maxmemory-policy noeviction" in server.log_tail()
