"""Mishaps that a server must survive. Each function causes one and checks everything.

The ordinary tests run short forms, `make prove` runs long ones.
"""

import json
import random
import signal
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import redis

from tests.support import calls
from tests.support.order_load import OrderLoad, missing_orders, settle_doubts
from tests.support.server_process import ServerProcess, wait_until

SYMBOL = "ACME"
Report = Callable[[str], None]


def _silent(_: str) -> None:
    """Report no progress."""


@contextmanager
def running(home: Path, **environment: str) -> Generator[ServerProcess]:
    """Yield a ready server that leads, and stop it and its services at the end."""
    server = ServerProcess(home, environment)
    try:
        yield server.start().wait_ready("leader")
    finally:
        server.end()


def standby_of(leader: ServerProcess, home: Path) -> ServerProcess:
    """Yield a second server on the leader's Postgres and Redis."""
    run = leader.run
    places = {"DATABASE_URL": run["database_url"], "REDIS_URL": run["redis_url"]}
    return ServerProcess(home, places).start().wait_ready("standby")


def tokens_of(server: ServerProcess) -> list[str]:
    """Return the tokens of the demo's traders, whose load may rest in the book."""
    admin = server.token(server.demo["admin"])
    for trader in server.demo["traders"]:
        path = f"/v2/admin/accounts/{trader['account_id']}/limits"
        limits = calls.Call("PUT", path, {"max_open_orders": 1_000_000})
        server.ask(limits, admin).raise_for_status()
    return [server.token(trader) for trader in server.demo["traders"]]


def assert_audited(server: ServerProcess, *, views: bool = True) -> dict[str, Any]:
    """Assert that `audit verify` passes for the log, the live state and the views."""
    words = () if views else ("--no-views",)
    done = server.command("audit", "verify", "--json", *words)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return json.loads(done.stdout)


def _assert_complete(server: ServerProcess, tokens: list[str], load: OrderLoad) -> None:
    """Resend unanswered orders, and assert that each acknowledged one exists once."""
    assert not load.broken, load.broken[:3]
    settle_doubts(server.url, tokens, load)
    server.wait_caught_up()
    assert missing_orders(server.url, tokens, load) == []


def _until_acknowledged(load: OrderLoad, count: int) -> None:
    wait_until(
        f"{count} orders acknowledged ({load.refused})",
        lambda: load.acknowledged >= count,
        30,
    )


def kills(server: ServerProcess, rounds: int, report: Report = _silent) -> int:
    """Kill a server with `kill -9` at random moments of a load, `rounds` times.

    Return how many orders the server acknowledged.
    """
    rng = random.Random(20_121)
    tokens = tokens_of(server)
    acknowledged = 0
    for number in range(1, rounds + 1):
        with OrderLoad(server.url, tokens, seed=number, symbol=SYMBOL) as load:
            _until_acknowledged(load, rng.randint(1, 300))
            time.sleep(rng.random() * 0.02)
            server.kill()
        server.start().wait_ready("leader")
        _assert_complete(server, tokens, load)
        found = assert_audited(server)
        acknowledged += load.acknowledged
        report(
            f"kill {number}: {load.acknowledged} acknowledged orders are there, "
            f"audit verified: {found.get('ok', True)}"
        )
    return acknowledged


def flushes(server: ServerProcess, rounds: int, report: Report = _silent) -> None:
    """Empty Redis in the middle of a load: the views come back by themselves."""
    tokens = tokens_of(server)
    with redis.Redis.from_url(server.run["redis_url"]) as client:
        for number in range(1, rounds + 1):
            seed = 1_000 + number
            with OrderLoad(server.url, tokens, seed=seed, symbol=SYMBOL) as load:
                _until_acknowledged(load, 50)
                client.flushall()
                _until_acknowledged(load, load.acknowledged + 50)
            server.wait_ready("leader")
            _assert_complete(server, tokens, load)
            assert_audited(server)
            report(f"flush {number}: healed under load")


def postgres_deaths(
    server: ServerProcess, rounds: int, report: Report = _silent
) -> None:
    """Kill Postgres in the middle of a load: clients retry, and no order is lost."""
    tokens = tokens_of(server)
    for number in range(1, rounds + 1):
        seed = 2_000 + number
        with OrderLoad(server.url, tokens, seed=seed, symbol=SYMBOL) as load:
            _until_acknowledged(load, 50)
            server.kill_postgres()
            before = load.acknowledged
            _until_acknowledged(load, before + 100)
        server.wait_ready("leader")
        _assert_complete(server, tokens, load)
        assert_audited(server)
        report(f"postgres {number}: back by itself, refused meanwhile {load.refused}")


def failover(
    first: ServerProcess,
    second: ServerProcess,
    tokens: list[str],
    report: Report = _silent,
) -> None:
    """Suspend the leader in the middle of a load: the standby takes over.

    After SIGCONT the old leader appends nothing and becomes a standby.
    """
    refused = second.ask(calls.place(symbol=SYMBOL), tokens[0])
    assert refused.status_code == 503, refused.text
    with OrderLoad(first.url, tokens, seed=3_001, symbol=SYMBOL) as load:
        _until_acknowledged(load, 100)
        first.signal(signal.SIGSTOP)
        stopped_at = time.monotonic()
        wait_until("the standby leads", lambda: second.is_ready("leader"), 15)
        report(f"failover: led after {time.monotonic() - stopped_at:.1f} s")
        with OrderLoad(second.url, tokens, seed=3_002, symbol=SYMBOL) as other:
            _until_acknowledged(other, 100)
            first.signal(signal.SIGCONT)
            _until_acknowledged(other, other.acknowledged + 100)
    wait_until("the old leader stands by", lambda: first.is_ready("standby"), 15)
    _assert_complete(second, tokens, load)
    _assert_complete(second, tokens, other)
    assert _epochs_in_order(second)
    assert_audited(second)
    report(f"failover: {load.acknowledged + other.acknowledged} orders, none lost")


def _epochs_in_order(server: ServerProcess) -> bool:
    """Assert that no version of any stream is missing or comes twice."""
    with psycopg.connect(server.run["database_url"]) as connection:
        row = connection.execute(
            "SELECT count(*) FROM (SELECT originator_id FROM events GROUP BY 1 "
            "HAVING count(*) <> max(originator_version)) AS broken"
        ).fetchone()
    return row is not None and row[0] == 0
