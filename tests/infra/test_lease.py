"""One process appends, and a process that lost the lease appends nothing."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Generator

import psycopg
import pytest

from commands.ports import LogLost, LogWriter
from infra.log import lease
from infra.log.event_store import PostgresEventStore
from tests.infra.contract_event_store import PATIENCE, recorded
from tests.infra.lost_answers import LostAnswers
from tests.infra.sample_events import STREAM, SampleStream


@pytest.fixture
def store(database_url: str) -> Generator[PostgresEventStore]:
    with PostgresEventStore(database_url) as store:
        yield store


@pytest.fixture
def standby(database_url: str) -> Generator[PostgresEventStore]:
    """The same log, as another process would open it."""
    with PostgresEventStore(database_url) as store:
        yield store


def acquired(store: PostgresEventStore) -> LogWriter:
    """Acquire the lease as soon as it is open."""
    pause = threading.Event()
    for _ in range(PATIENCE * 20):
        writer = store.acquire()
        if writer is not None:
            return writer
        pause.wait(0.05)
    raise AssertionError("the lease never became free")


def execute(database_url: str, statement: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(statement.encode())


def test_a_standby_waits_until_the_lease_is_given_back(
    store: PostgresEventStore, standby: PostgresEventStore
):
    holder = acquired(store)
    assert standby.acquire() is None

    holder.close()

    successor = acquired(standby)
    assert successor.epoch == holder.epoch + 1
    successor.close()


def test_of_many_who_want_the_lease_one_gets_it(store: PostgresEventStore):
    writers: list[LogWriter | None] = []
    wanting = [
        threading.Thread(target=lambda: writers.append(store.acquire()))
        for _ in range(6)
    ]
    for thread in wanting:
        thread.start()
    for thread in wanting:
        thread.join(PATIENCE)

    (holder,) = [writer for writer in writers if writer is not None]
    assert len(writers) == 6
    assert holder.alive()
    holder.close()


def test_a_holder_whose_backend_died_is_replaced_at_once(
    store: PostgresEventStore, standby: PostgresEventStore, database_url: str
):
    holder, stream = acquired(store), SampleStream()
    execute(
        database_url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'bourse-writer'",
    )

    successor = standby.acquire()

    assert successor is not None
    with pytest.raises(LogLost):
        holder.append(stream.events())
    successor.append(stream.events())
    assert successor.alive()
    holder.close()
    assert standby.acquire() is None
    successor.close()


def test_an_append_of_a_past_epoch_records_nothing(
    store: PostgresEventStore, database_url: str
):
    """The append itself checks the epoch, even on a live connection."""
    holder, stream = acquired(store), SampleStream()
    holder.append(stream.events())
    execute(database_url, "UPDATE log_lease SET epoch = epoch + 1")

    with pytest.raises(LogLost, match="epoch 1 of the lease is over"):
        holder.append(stream.events())

    assert len(store.reader.read(0, 10).facts) == 1
    assert not holder.alive()
    holder.close()


def test_a_holder_learns_from_its_heartbeat_that_it_is_one_no_more(
    store: PostgresEventStore, database_url: str
):
    holder = acquired(store)
    execute(database_url, "UPDATE log_heartbeat SET epoch = epoch + 1")

    pause = threading.Event()
    while holder.alive():
        pause.wait(0.05)

    holder.close()


def test_a_slow_commit_does_not_look_dead(
    store: PostgresEventStore,
    standby: PostgresEventStore,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(lease, "STALE_SECONDS", 1.0)
    holder = acquired(store)
    append = threading.Thread(target=holder.append, args=(SampleStream().events(),))

    with psycopg.connect(database_url) as blocker:
        blocker.execute("LOCK TABLE events_lock IN EXCLUSIVE MODE")
        append.start()
        # Longer than the heartbeat may pause.
        assert not store.reader.wait(0, seconds=1.5)
        assert standby.acquire() is None
        assert holder.alive()
    append.join(PATIENCE)

    assert store.reader.head() == 1
    holder.close()


def test_an_append_without_an_answer_ends_when_the_lease_is_given_back(
    store: PostgresEventStore, database_url: str
):
    holder = acquired(store)
    outcomes: list[BaseException] = []

    def append() -> None:
        try:
            holder.append(SampleStream().events())
        except LogLost as lost:
            outcomes.append(lost)

    thread = threading.Thread(target=append)
    with psycopg.connect(database_url) as blocker:
        blocker.execute("LOCK TABLE events_lock IN EXCLUSIVE MODE")
        thread.start()
        assert not store.reader.wait(0, seconds=0.2)

        holder.close()
        thread.join(PATIENCE)

        assert len(outcomes) == 1
        assert not holder.alive()


#: A small server: it acquires, appends, prints a line, and appends again on input.
HOLDER = """
import sys
from commands.ports import LogLost
from infra.log.event_store import PostgresEventStore
from tests.infra.sample_events import SampleStream

stream = SampleStream()
store = PostgresEventStore(sys.argv[1])
writer = store.acquire()
writer.append(stream.events())
print("holds", flush=True)
sys.stdin.readline()
try:
    writer.append(stream.events())
    print("appended", flush=True)
except LogLost:
    print("lost", flush=True)
writer.close()
store.close()
"""


@pytest.mark.parametrize("terminates", [True, False])
def test_a_stopped_process_that_goes_on_appends_nothing(
    store: PostgresEventStore,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
    terminates: bool,
):
    if not terminates:
        # The epoch alone must protect the log if the old backend cannot be ended.
        monkeypatch.setattr(lease, "_TERMINATE", "SELECT %s")
    command = [sys.executable, "-c", HOLDER, database_url]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "holds\n"
        os.kill(process.pid, signal.SIGSTOP)

        successor = acquired(store)
        mine = SampleStream(versions=iter([2])).events(1)
        successor.append(mine)
        os.kill(process.pid, signal.SIGCONT)
        outcome, _ = process.communicate("go on\n", timeout=PATIENCE)

    assert outcome == "lost\n"
    assert recorded(store.reader.read(1, 10).facts) == mine
    assert store.reader.head() == 2
    successor.close()


def test_a_commit_whose_answer_was_lost_is_found_in_the_log(
    store: PostgresEventStore, database_url: str
):
    stream = SampleStream()
    with (
        LostAnswers(database_url) as proxy,
        PostgresEventStore(proxy.url) as remote,
    ):
        writer = acquired(remote)
        writer.append(stream.events())
        events = stream.events(3)
        proxy.lose_next()

        with pytest.raises(LogLost):
            writer.append(events)

        fact = store.reader.find(STREAM, events[0].version)
        assert fact is not None
        assert fact.event == events[0].event
        assert recorded(store.reader.read(fact.position - 1, 10).facts) == events
        writer.close()
