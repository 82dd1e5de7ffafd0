"""A restore checks everything aside and switches last (docs/rules/operations.md)."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from commands.ports import LogWriter
from domain.events.event import Meta
from domain.events.register import Fact
from domain.events.security import OperationForced
from infra.backup.errors import (
    BackupError,
    BackupUnsound,
    LogInUse,
    LogNotEmpty,
    RestoreRunning,
)
from infra.backup.restoring import Forcing, restore
from infra.backup.writing import backup
from infra.log.connection import connect
from infra.log.event_codec import UndecodableEvent
from infra.log.event_store import PostgresEventStore
from infra.security.security_outbox import PostgresSecurityOutbox
from tests.support.flow import Flow
from tests.support.refusals import AT, Refusals
from tests.support.stored_log import write_log

FACTS = Flow(accounts=3, symbols=2).run(60)
OTHER = Flow(seed=8, accounts=2, symbols=1).run(30)

pytestmark = pytest.mark.rule("FORCE-04")


def forced(condition: str) -> OperationForced:
    meta = Meta(AT, "operator", f"force-{condition}")
    return OperationForced(meta, "restore", condition, "file")


@pytest.fixture
def file(database_url: str, tmp_path: Path) -> Path:
    """The backup of a sound log."""
    write_log(database_url, FACTS)
    backup(database_url, tmp_path / "file")
    return tmp_path / "file"


@pytest.fixture
def used_url(empty_url: str) -> str:
    """A database with another log."""
    write_log(empty_url, OTHER)
    return empty_url


def facts(database_url: str) -> list[Fact]:
    with PostgresEventStore(database_url) as store:
        return [fact for part in store.reader.replay(0) for fact in part.facts]


def notes(database_url: str) -> list[object]:
    with PostgresEventStore(database_url) as store:
        return list(PostgresSecurityOutbox(store.datastore).pending(10))


def schemas(database_url: str) -> set[str]:
    with connect(database_url, name="test") as connection:
        rows = connection.execute(
            "SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'"
        ).fetchall()
    return {str(row[0]) for row in rows} - {"information_schema"}


def spoiled(database_url: str, statement: bytes) -> None:
    """Change the log as somebody with all rights could."""
    with connect(database_url, name="test") as connection:
        connection.execute("ALTER TABLE events DISABLE TRIGGER USER")
        connection.execute(statement)


# --- conditions and force ---


@pytest.mark.rule("FORCE-01")
def test_a_log_is_replaced_by_force_only_and_the_next_leader_records_it(
    used_url: str, file: Path
):
    with pytest.raises(LogNotEmpty, match=f"up to position {len(OTHER)}"):
        restore(used_url, file)
    assert facts(used_url) == OTHER

    restore(used_url, file, forcing=forced)

    assert facts(used_url) == FACTS
    assert notes(used_url) == [forced("log-not-empty")]
    assert schemas(used_url) == {"public"}


@pytest.mark.rule("FORCE-02")
def test_force_without_a_failed_condition_records_nothing(empty_url: str, file: Path):
    restore(empty_url, file, forcing=forced)

    assert facts(empty_url) == FACTS
    assert notes(empty_url) == []


SWAP = b"""
    UPDATE events SET notification_id = CASE notification_id
        WHEN 60 THEN 1000000 WHEN 61 THEN 60 END
    WHERE notification_id IN (60, 61);
    UPDATE events SET notification_id = 61 WHERE notification_id = 1000000
"""
AMOUNT = b"""
    UPDATE events SET state = convert_to(
        replace(convert_from(state, 'UTF8'), '"amount":', '"amount":1'), 'UTF8')
    WHERE notification_id = (SELECT max(notification_id) FROM events
        WHERE topic = 'wallet.funds-held')
"""


@pytest.mark.parametrize("forcing", [None, forced])
def test_a_log_in_wrong_order_is_not_restored_even_by_force(
    database_url: str, empty_url: str, tmp_path: Path, forcing: Forcing | None
):
    write_log(database_url, FACTS)
    spoiled(database_url, SWAP)
    backup(database_url, tmp_path / "file")

    with pytest.raises(BackupUnsound, match="not sound"):
        restore(empty_url, tmp_path / "file", forcing=forcing)

    assert facts(empty_url) == []


@pytest.mark.rule("FORCE-02")
def test_an_altered_amount_is_restored_by_force_only(
    database_url: str, empty_url: str, tmp_path: Path
):
    write_log(database_url, FACTS)
    spoiled(database_url, AMOUNT)
    backup(database_url, tmp_path / "file")

    with pytest.raises(BackupUnsound, match="--force"):
        restore(empty_url, tmp_path / "file")
    assert facts(empty_url) == []
    restore(empty_url, tmp_path / "file", forcing=forced)

    assert facts(empty_url) == facts(database_url)
    assert notes(empty_url) == [forced("backup-unsound")]


def test_a_log_with_a_fact_that_nobody_knows_is_not_restored(
    database_url: str, used_url: str, tmp_path: Path
):
    write_log(database_url, FACTS)
    with connect(database_url, name="test") as connection:
        connection.execute(
            "INSERT INTO events VALUES ('wallet-x', 1, 'wallet.melted', "
            '\'{"type":"wallet.melted"}\')'
        )
    backup(database_url, tmp_path / "file")

    with pytest.raises(UndecodableEvent):
        restore(used_url, tmp_path / "file", forcing=forced)

    assert facts(used_url) == OTHER
    assert schemas(used_url) == {"public"}


# --- others at work ---


def test_a_server_that_leads_stops_a_restore_even_by_force(used_url: str, file: Path):
    with PostgresEventStore(used_url) as store:
        writer = store.acquire()
        assert writer is not None
        with closing(writer), pytest.raises(LogInUse, match="make stop"):
            restore(used_url, file, forcing=forced)

    assert facts(used_url) == OTHER


def test_a_server_that_leads_before_the_switch_keeps_its_log(used_url: str, file: Path):
    with PostgresEventStore(used_url) as store:

        def lead(what: str, _done: int, _rows: int) -> None:
            if what == "validation" and not leading:
                leading.append(store.acquire())

        leading: list[LogWriter | None] = []
        with pytest.raises(LogInUse):
            restore(used_url, file, forcing=forced, progress=lead)
        (writer,) = leading
        assert writer is not None
        writer.close()

    assert facts(used_url) == OTHER


def test_a_log_that_grew_during_the_restore_is_not_replaced(used_url: str, file: Path):
    def grow(what: str, done: int, _rows: int) -> None:
        if what == "validation" and done == len(FACTS):
            with PostgresEventStore(used_url) as store:
                writer = store.acquire()
                assert writer is not None
                with closing(writer):
                    writer.append(Refusals().events())

    with pytest.raises(LogNotEmpty):
        restore(used_url, file, forcing=forced, progress=grow)

    assert facts(used_url)[:-1] == OTHER


def test_two_restores_do_not_work_on_one_database(
    empty_url: str, file: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infra.backup.restoring._LOCK_WAIT", "SET lock_timeout = '1s'")
    refusals: list[BackupError] = []

    def second() -> None:
        with pytest.raises(RestoreRunning) as refusal:
            restore(empty_url, file)
        refusals.append(refusal.value)

    def meanwhile(what: str, _done: int, _rows: int) -> None:
        if what == "validation" and not refusals:
            thread = threading.Thread(target=second)
            thread.start()
            thread.join()

    restore(empty_url, file, progress=meanwhile)

    assert len(refusals) == 1
    assert facts(empty_url) == FACTS


def test_no_epoch_comes_twice_after_a_restore(used_url: str, file: Path):
    with PostgresEventStore(used_url) as store:
        old = store.acquire()
        assert old is not None
        old.close()

    restore(used_url, file, forcing=forced)

    with PostgresEventStore(used_url) as store:
        new = store.acquire()
        assert new is not None
        new.close()
    assert new.epoch > old.epoch + 1


# --- killed and failed restores ---

KILLED = """
import os, signal, sys
from pathlib import Path
from tests.infra.test_restore import forced
from infra.backup.restoring import restore

url, file, point = sys.argv[1:]

def progress(what, done, rows):
    if what == point:
        os.kill(os.getpid(), signal.SIGKILL)

def before_commit():
    progress("before the commit", 0, 0)

restore(url, Path(file), forcing=forced, progress=progress, before_commit=before_commit)
"""


@pytest.mark.parametrize(
    "point", ["events", "credentials", "validation", "before the commit"]
)
def test_a_restore_that_is_killed_leaves_the_old_log_and_the_next_one_cleans_up(
    used_url: str, file: Path, point: str
):
    words = [sys.executable, "-c", KILLED, used_url, str(file), point]
    killed = subprocess.run(words, check=False, capture_output=True, env=os.environ)
    assert killed.returncode == -signal.SIGKILL, killed.stderr

    assert facts(used_url) == OTHER
    assert notes(used_url) == []

    restore(used_url, file, forcing=forced)

    assert facts(used_url) == FACTS
    assert schemas(used_url) == {"public"}


def test_a_restore_that_fails_in_the_switch_leaves_the_old_log(
    used_url: str, file: Path
):
    def fail() -> None:
        raise ConnectionError("Redis is away")

    with pytest.raises(ConnectionError):
        restore(used_url, file, forcing=forced, before_commit=fail)

    assert facts(used_url) == OTHER
    assert schemas(used_url) == {"public"}


def truncated(whole: bytes) -> bytes:
    return whole[: len(whole) // 2]


def flipped(whole: bytes) -> bytes:
    middle = len(whole) // 2
    return whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]


@pytest.mark.parametrize("damage", [truncated, flipped])
def test_a_damaged_file_leaves_the_old_log_even_by_force(
    used_url: str, file: Path, damage: Callable[[bytes], bytes]
):
    file.write_bytes(damage(file.read_bytes()))

    with pytest.raises(BackupError):
        restore(used_url, file, forcing=forced)

    assert facts(used_url) == OTHER


def test_a_gap_in_the_log_positions_is_no_damage(
    database_url: str, used_url: str, file: Path
):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("SELECT setval('events_notification_id_seq', 5000)")
    with PostgresEventStore(database_url) as store:
        writer = store.acquire()
        assert writer is not None
        with closing(writer):
            writer.append(Refusals().events())
    backup(database_url, file)

    restore(used_url, file, forcing=forced)

    assert facts(used_url)[-1].position == 5001
