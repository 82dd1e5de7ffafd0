"""An operator's commands work while a server is under load."""

import json
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.support import calls
from tests.support.order_load import OrderLoad
from tests.support.server_process import ServerProcess, wait_until
from tests.support.survival import SYMBOL, running, tokens_of


@pytest.fixture
def server(tmp_path: Path) -> Generator[ServerProcess]:
    with running(tmp_path / "home") as server:
        yield server


def done(server: ServerProcess, *words: str, code: int = 0) -> Any:
    result = server.command(*words, "--json")
    assert result.returncode == code, f"{result.stdout}\n{result.stderr}"
    return json.loads(result.stdout)


def test_audit_rebuild_snapshot_and_backup_work_under_load(
    server: ServerProcess, tmp_path: Path, database_url: str
):
    with OrderLoad(server.url, tokens_of(server), seed=5, symbol=SYMBOL) as load:
        wait_until("orders", lambda: load.acknowledged > 300, 30)
        audit = done(server, "audit", "verify")
        rebuilt = done(server, "rebuild", "--all")
        done(server, "snapshot")
        done(server, "backup", str(tmp_path / "file"))
        again = done(server, "audit", "verify")
        before = load.acknowledged
        wait_until("orders go on", lambda: load.acknowledged > before + 50, 30)

    counted = {check["name"]: check["counted"] for check in again["checks"]}
    assert audit["passed"]
    assert again["passed"]
    # The live state held the streams of the system, the house and everybody.
    assert counted["live"] > 10
    assert counted["views"] == len(rebuilt)
    assert [each["differing"] for each in rebuilt] == [0] * len(rebuilt)
    assert again["events"] > audit["events"] > 1_000
    _assert_restores(server, tmp_path / "file", database_url)


def _assert_restores(server: ServerProcess, file: Path, database_url: str) -> None:
    """Assert that the backup of a busy server restores to a sound log."""
    other = ServerProcess(
        server.home.with_name("other"),
        {"DATABASE_URL": database_url, "REDIS_URL": server.run["redis_url"]},
    )
    # The read models belong to the first server, so this checks the log alone.
    restored = json.loads(other.command("restore", str(file), "--json").stdout)
    audit = json.loads(other.command("audit", "verify", "--no-views", "--json").stdout)
    assert audit["passed"]
    assert audit["log_position"] == restored["log_position"] > 1_000


def test_an_administrator_is_made_through_a_server_without_a_demonstration(
    tmp_path: Path,
):
    with running(tmp_path / "home", BOURSE_DEMO="0") as server:
        made = done(server, "admin", "create", "ada@example.org")
        again = done(server, "admin", "create", "ada@example.org")
        token = server.token(made)
        listed = server.ask(calls.list_asset("NEW"), token)
        audit = done(server, "audit", "verify")

    assert (made["created"], again["created"]) == (True, False)
    assert again["user_id"] == made["user_id"]
    assert listed.status_code == 201
    assert audit["passed"]
    assert not (tmp_path / "home" / "demo.json").exists()


def test_an_event_changed_in_the_log_of_a_live_server_is_seen(server: ServerProcess):
    with psycopg.connect(server.run["database_url"], autocommit=True) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER USER")
        # A forged deposit looks sound in the log; only the server's memory differs.
        changed = connection.execute(
            "UPDATE events SET state = convert_to(replace(convert_from(state, 'UTF8'), "
            "'10000000000', '10000000001'), 'UTF8') WHERE notification_id = ("
            "SELECT min(notification_id) FROM events "
            "WHERE topic = 'wallet.funds-deposited')"
        )
        assert changed.rowcount == 1

    report = done(server, "audit", "verify", code=1)

    assert {"live", "views"} <= {
        check["name"] for check in report["checks"] if check["violations"]
    }
