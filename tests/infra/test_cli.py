"""The commands of `bourse`: exit codes, sentences, JSON, and their effects."""

import asyncio
import json
import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any, cast

import psycopg
import pytest
from redis import Redis
from typer.testing import CliRunner

from domain.events.register import Fact
from domain.events.user import RoleGranted
from domain.events.wallet import TradeSettled
from infra.access.temporary_writer import temporary_writer
from infra.cli.commands import app
from infra.log.event_store import PostgresEventStore
from infra.views.redis_store import ALIAS
from tests.support.command_line import Bourse
from tests.support.flow import Flow
from tests.support.orderflows import SMALL, write_flow
from tests.support.stored_log import write_log

FACTS = Flow().run(300)


@pytest.fixture
def traded(bourse: Bourse) -> Bourse:
    """The command line on a log with a day of trading and filled read models."""
    write_log(bourse.database_url, FACTS)
    bourse.json("rebuild", "--all")
    return bourse


# --- audit ---


def test_a_sound_installation_passes_its_audit(traded: Bourse):
    traded.json("snapshot")

    report = traded.json("audit", "verify")

    assert report["passed"]
    assert report["events"] == report["log_position"] == len(FACTS)
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["views"]["counted"] == 9
    assert checks["views"]["skipped"] is None
    assert checks["snapshot"]["counted"] > 10
    assert checks["live"]["skipped"] == "no server was compared"


def test_an_audit_is_a_table_for_people(traded: Bourse):
    result = traded("audit", "verify")

    assert result.exit_code == 0
    assert "The log is sound." in result.stdout


def next_of(lost: Fact, facts: list[Fact]) -> int:
    """Return the next fact in the stream of a lost fact."""
    return next(
        fact.position
        for fact in facts
        if fact.stream == lost.stream and fact.position > lost.position
    )


def test_a_forged_event_fails_the_audit(bourse: Bourse):
    facts = list(FACTS)
    place = next(n for n, f in enumerate(facts) if isinstance(f.event, TradeSettled))
    lost = facts.pop(place)
    write_log(bourse.database_url, facts)

    result = bourse("audit", "verify", "--no-views")

    assert result.exit_code == 1
    assert "The log is not sound." in result.stdout
    assert f"versions: log position {next_of(lost, facts)}" in result.stdout


def test_a_snapshot_of_events_that_were_deleted_fails_the_audit(traded: Bourse):
    traded.json("snapshot")
    with psycopg.connect(traded.database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER USER")
        connection.execute("DELETE FROM events WHERE notification_id > 200")

    report = traded.json("audit", "verify", "--no-views", code=1)

    failed = {check["name"] for check in report["checks"] if check["violations"]}
    assert "snapshot" in failed
    assert report["log_position"] == 200


def test_an_event_that_cannot_be_read_is_named(bourse: Bourse):
    write_log(bourse.database_url, FACTS)
    with psycopg.connect(bourse.database_url) as connection:
        connection.execute(
            "INSERT INTO events VALUES ('wallet-x', 1, 'wallet.melted', "
            '\'{"type":"wallet.melted"}\', %s)',
            (len(FACTS) + 1,),
        )

    report = bourse.json("audit", "verify", code=1)

    assert report["error"] == "undecodable-event"
    assert f"log position {len(FACTS) + 1}" in report["message"]


def test_a_forged_balance_in_redis_fails_the_audit_and_a_rebuild_heals_it(
    traded: Bourse,
):
    with Redis.from_url(traded.redis_url, decode_responses=True) as client:
        redis = cast(Any, client)
        generation = redis.hget(ALIAS, "balances")
        rows = next(
            redis.scan_iter(f"bourse:balances:{generation}:*", _type="hash", count=99)
        )
        redis.hset(rows, redis.hkeys(rows)[0], '["forged"]')

    forged = traded.json("audit", "verify", code=1)
    rebuilt = traded.json("rebuild", "balances")
    healed = traded.json("audit", "verify")

    (violation,) = forged["violations"]
    assert violation["check"] == "views"
    assert violation["stream"] == "view balances"
    assert '["forged"] is shown' in violation["what"]
    assert [(each["view"], each["differing"]) for each in rebuilt] == [("balances", 1)]
    assert healed["passed"]


# --- read models, snapshots, backups ---


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["rebuild"], "name one read model, or pass --all"),
        (["rebuild", "balances", "--all"], "name one read model, or pass --all"),
        (["rebuild", "quotes"], "quotes is none of balances"),
        (["replay"], "Missing argument"),
        (["replay", "x", "--rows-every", "0"], "rows-every"),
        (["replay", "x", "--in-process", "--url", "http://x"], "excludes --url"),
        (["replay", "x", "--in-process", "--token", "x"], "excludes --token"),
        (["replay", "x", "--in-process", "--rows-every", "2"], "excludes --rows-every"),
        (["nonsense"], "No such command"),
    ],
)
def test_wrong_arguments_end_with_2(words: list[str], sentence: str, bourse: Bourse):
    result = bourse(*words)

    assert result.exit_code == 2
    assert sentence in " ".join(result.output.split())


def test_a_snapshot_is_of_the_head_of_the_log(traded: Bourse):
    assert traded.json("snapshot")["log_position"] == len(FACTS)
    assert (
        f"Saved the state at log position {len(FACTS):,}" in traded("snapshot").stdout
    )


def empty(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP SCHEMA public CASCADE")
        connection.execute("CREATE SCHEMA public")


def test_everything_comes_back_from_a_backup(
    traded: Bourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "bourse.backup"
    saved = traded.json("backup", str(file))
    empty(traded.database_url)

    restored = traded.json("restore", str(file))
    with Redis.from_url(traded.redis_url) as client:
        assert client.dbsize() == 0
    audit = traded.json("audit", "verify")

    assert saved["log_position"] == restored["log_position"] == len(FACTS)
    assert audit["passed"]
    (views,) = [check for check in audit["checks"] if check["name"] == "views"]
    # The old views showed another log; the next start fills them.
    assert "not filled yet: balances" in views["skipped"]


def test_a_restore_that_cannot_forget_the_views_restores_nothing(
    traded: Bourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "bourse.backup"
    traded.json("backup", str(file))
    empty(traded.database_url)

    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    refusal = traded.json("restore", str(file), code=1)
    monkeypatch.setenv("REDIS_URL", traded.redis_url)
    restored = traded.json("restore", str(file))

    assert refusal["error"] == "store-down"
    assert restored["log_position"] == len(FACTS)


def test_a_restore_does_not_touch_a_log_that_has_events(traded: Bourse, tmp_path: Path):
    file = tmp_path / "bourse.backup"
    traded.json("backup", str(file))

    assert traded.json("restore", str(file), code=1)["error"] == "log-not-empty"
    assert traded.json("audit", "verify")["passed"]


# --- administrators ---


def roles(bourse: Bourse) -> list[Fact]:
    with PostgresEventStore(bourse.database_url) as store:
        facts = store.reader.read(0, 1_000).facts
    return [fact for fact in facts if isinstance(fact.event, RoleGranted)]


def test_an_administrator_is_made_without_a_server(bourse: Bourse):
    admin = bourse.json("admin", "create", "ada@example.org")

    (granted,) = roles(bourse)
    assert granted.stream == f"user-{admin['user_id']}"
    assert admin["created"]
    assert len(admin["password"]) >= 12
    assert bourse.json("audit", "verify", "--no-views")["passed"]


def test_a_known_user_gets_the_role_and_keeps_the_password(bourse: Bourse):
    first = bourse.json("admin", "create", "ada@example.org")

    again = bourse.json("admin", "create", "Ada@Example.org")

    assert (again["user_id"], again["created"]) == (first["user_id"], False)
    assert again["password"] is None
    assert len(roles(bourse)) == 1


def test_a_password_comes_from_standard_input_and_is_not_shown(bourse: Bourse):
    words = ["admin", "create", "ada@example.org", "--password-stdin"]

    admin = bourse.json(*words, stdin="a long enough one\n")

    assert admin["password"] is None


@pytest.mark.parametrize(
    ("email", "password", "sentence"),
    [("ada", "long enough", "email must be"), ("a@b.example", "short", "password")],
)
def test_a_bad_address_or_password_is_refused(
    email: str, password: str, sentence: str, bourse: Bourse
):
    words = ["admin", "create", email, "--password-stdin"]

    refusal = bourse.json(*words, code=1, stdin=f"{password}\n")

    assert sentence in refusal["message"]


async def test_while_another_process_leads_it_must_be_asked(
    bourse: Bourse, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infra.access.temporary_writer.LEASE_SECONDS", 0.5)
    with PostgresEventStore(bourse.database_url) as store:
        async with temporary_writer(store):
            refusal = await asyncio.to_thread(
                bourse.json, "admin", "create", "ada@example.org", code=1
            )

    assert refusal["error"] == "lease-held"


# --- replays ---


def databases(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT datname FROM pg_database").fetchall()
    return {str(row[0]) for row in rows if str(row[0]).startswith("bourse_replay")}


def test_a_token_of_the_environment_is_no_mistake_in_process(
    bourse: Bourse, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("BOURSE_TOKEN", "x")

    assert bourse.json("replay", str(write_flow(tmp_path, SMALL)), "--in-process")


def test_a_flow_is_read_once_so_that_it_may_come_through_a_pipe(
    bourse: Bourse, tmp_path: Path
):
    words = ["replay", "/dev/stdin", "--in-process", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "infra.cli.commands", *words],
        input=write_flow(tmp_path, SMALL).read_bytes(),
        capture_output=True,
        check=True,
    )

    assert json.loads(done.stdout)["commands"] == 12


def test_a_replay_in_process_leaves_no_database_behind(bourse: Bourse, tmp_path: Path):
    flow = write_flow(tmp_path, SMALL)

    report = bourse.json("replay", str(flow), "--in-process")
    shown = bourse("replay", str(flow), "--in-process", "--limit", "5")

    assert (report["exact"], report["way"], report["rows_exact"]) == (
        True,
        "in-process",
        6,
    )
    assert "Everything is as recorded." in shown.stdout
    assert databases(bourse.database_url) == set()


# --- without an installation ---


@pytest.mark.parametrize(
    "words",
    [
        ("audit", "verify"),
        ("snapshot",),
        ("rebuild", "--all"),
        ("backup", "file"),
    ],
    ids=" ".join,
)
def test_a_folder_without_an_installation_is_no_empty_exchange(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("BOURSE_HOME", str(tmp_path / "wrong"))

    result = CliRunner().invoke(app, [*words, "--json"])

    assert result.exit_code == 1
    assert json.loads(result.stdout)["error"] == "no-installation"
    assert not (tmp_path / "wrong").exists()


def test_the_version_is_that_of_the_package(bourse: Bourse):
    result = bourse("--version")

    assert (result.exit_code, result.output) == (0, f"Bourse {version('bourse')}\n")


@pytest.mark.parametrize("host", ["localhst.invalid", "192.0.2.1"])
def test_a_wrong_host_is_not_blamed_on_the_port(host: str, tmp_path: Path):
    result = subprocess.run(
        [sys.executable, "-m", "infra.cli.commands", "run"],
        env={**os.environ, "BOURSE_HOME": str(tmp_path / "home"), "BOURSE_HOST": host},
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert "BOURSE_HOST must be an address or a name" in result.stderr
