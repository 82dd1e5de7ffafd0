"""Conditions of commands, and `--force` (docs/rules/operations.md)."""

from pathlib import Path

import psycopg
import pytest
from redis import Redis

from domain.events.security import OperationForced
from infra.log.event_store import PostgresEventStore
from infra.security.security_outbox import PostgresSecurityOutbox
from tests.support.command_line import Bourse
from tests.support.flow import Flow
from tests.support.stored_log import write_log

FACTS = Flow().run(100)


@pytest.fixture
def traded(bourse: Bourse) -> Bourse:
    """The command line on a log with a day of trading and filled read models."""
    write_log(bourse.database_url, FACTS)
    bourse.json("rebuild", "--all")
    return bourse


def forced(bourse: Bourse) -> list[OperationForced]:
    """Return the notes of forced operations that the next leader will record."""
    with PostgresEventStore(bourse.database_url) as store:
        pending = PostgresSecurityOutbox(store.datastore).pending(10)
    return [note for note in pending if isinstance(note, OperationForced)]


@pytest.mark.rule("FORCE-02")
def test_a_forced_restore_replaces_the_log_and_is_noted(traded: Bourse, tmp_path: Path):
    file = tmp_path / "bourse.backup"
    traded.json("backup", str(file))

    restored = traded.json("restore", str(file), "--force")

    assert restored["log_position"] == len(FACTS)
    assert traded.json("audit", "verify")["passed"]
    assert [noted.subject for noted in forced(traded)] == ["bourse.backup"]


def alter_a_hold(bourse: Bourse) -> None:
    with psycopg.connect(bourse.database_url, autocommit=True) as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER USER")
        connection.execute(
            "UPDATE events SET state = convert_to(replace(convert_from(state, 'UTF8'), "
            "'\"amount\":', '\"amount\":1'), 'UTF8') WHERE notification_id = ("
            "SELECT max(notification_id) FROM events WHERE topic = 'wallet.funds-held')"
        )


@pytest.mark.rule("FORCE-01")
@pytest.mark.rule("FORCE-02")
def test_a_rebuild_from_an_altered_log_needs_force(traded: Bourse):
    alter_a_hold(traded)

    refusal = traded.json("rebuild", "balances", code=1)
    assert forced(traded) == []
    rebuilt = traded.json("rebuild", "balances", "--force")

    assert refusal["error"] == "log-unsound"
    assert "last good backup" in refusal["message"]
    assert rebuilt[0]["switched"]
    (noted,) = forced(traded)
    assert (noted.operation, noted.condition) == ("rebuild", "log-unsound")
    assert (noted.subject, noted.meta.actor) == ("balances", "operator")


@pytest.mark.rule("FORCE-03")
def test_a_view_that_is_not_live_is_filled_from_any_log(traded: Bourse):
    alter_a_hold(traded)
    with Redis.from_url(traded.redis_url) as client:
        client.flushall()

    assert traded.json("rebuild", "balances")[0]["switched"]
