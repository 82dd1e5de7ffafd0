"""The log on Postgres keeps the contract of logs, and survives Postgres's mishaps."""

import threading
from collections.abc import Generator

import psycopg
import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent, Tracking

from commands.ports import LogLost, LogUnavailable
from infra.log.event_codec import encode_event
from infra.log.event_store import PostgresEventStore
from infra.security.credentials import PostgresCredentials
from infra.security.security_outbox import PostgresSecurityOutbox
from tests.infra.contract_event_store import PATIENCE, EventStoreContract, Rig
from tests.infra.contract_security_outbox import SecurityOutboxContract
from tests.infra.sample_events import AT, SampleStream


class PostgresRig(Rig):
    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        self.postgres = PostgresEventStore(database_url)
        datastore = self.postgres.datastore
        super().__init__(
            self.postgres,
            PostgresCredentials(datastore),
            PostgresSecurityOutbox(datastore),
        )

    def close(self) -> None:
        super().close()
        self.postgres.close()

    def lose_connection(self) -> None:
        self.terminate("bourse-writer")

    def terminate(self, application: str) -> None:
        """End the backends of all connections with a name."""
        self.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name = %s",
            application,
        )

    def execute(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            cursor = connection.execute(statement.encode(), values)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def rig(database_url: str) -> Generator[PostgresRig]:
    rig = PostgresRig(database_url)
    yield rig
    rig.close()


def stored(stream: SampleStream, count: int) -> list[StoredEvent]:
    """Return events in the form in which a host passes them to the library."""
    return [
        StoredEvent(
            originator_id=each.stream,
            originator_version=each.version,
            topic="wallet.funds-held",
            state=encode_event(each.event),
        )
        for each in stream.events(count)
    ]


class TestEventStore(EventStoreContract):
    pass


class TestSecurityOutbox(SecurityOutboxContract):
    pass


def test_the_schema_may_be_made_by_many_at_once(database_url: str):
    outcomes: list[int] = []

    def make() -> None:
        with PostgresEventStore(database_url) as store:
            outcomes.append(store.reader.head())

    makers = [threading.Thread(target=make) for _ in range(4)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join(PATIENCE)

    assert outcomes == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "change", ["UPDATE events SET topic = ''", "DELETE FROM events", "TRUNCATE events"]
)
def test_the_log_cannot_be_changed(rig: PostgresRig, change: str):
    rig.acquire().append(SampleStream().events())

    with pytest.raises(psycopg.errors.RaiseException, match="the log is immutable"):
        rig.execute(change)

    assert len(rig.store.reader.read(0, 10).facts) == 1


def test_auditors_read_the_log_with_sql(rig: PostgresRig):
    first = rig.acquire().append(SampleStream().events(2, command="c-1"))

    rows = rig.execute(
        "SELECT log_position, stream, version, topic, "
        "extract(epoch FROM at) * 1000000, actor, command_id, correlation_id, "
        "data ->> 'amount' FROM audit_events ORDER BY log_position"
    )

    meta = ("6a1c", "c-1", "c-1")
    assert rows == [
        (first, "wallet-6a1c", 1, "wallet.funds-held", AT + 1, *meta, "1"),
        (first + 1, "wallet-6a1c", 2, "wallet.funds-held", AT + 2, *meta, "2"),
    ]


def test_one_text_with_a_nul_leaves_the_log_readable_with_sql(rig: PostgresRig):
    stream = SampleStream()
    (event,) = stream.events(1, command="c\0-1")
    rig.acquire().append([event, *stream.events(1)])

    rows = rig.execute("SELECT command_id FROM audit_events ORDER BY log_position")

    assert len(rows) == 2
    assert rows[0] == ("c\N{REPLACEMENT CHARACTER}-1",)


def test_readers_go_on_after_their_connections_were_lost(rig: PostgresRig):
    rig.acquire().append(SampleStream().events(3))
    assert len(rig.store.reader.read(0, 10).facts) == 3

    rig.terminate("bourse")

    assert len(rig.store.reader.read(0, 10).facts) == 3


def test_a_replay_of_a_log_that_is_replaced_meanwhile_is_given_up(rig: PostgresRig):
    rig.acquire().append(SampleStream().commands(*[1] * 20_000))
    replay = rig.store.reader.replay(0)
    next(replay)

    rig.execute("ALTER TABLE events DISABLE TRIGGER ALL")
    rig.execute("DELETE FROM events WHERE originator_version < 19000")

    with pytest.raises(LogLost, match="any more"):
        list(replay)


def test_waiting_outlives_a_lost_connection(rig: PostgresRig):
    writer, stream = rig.acquire(), SampleStream()
    head = writer.append(stream.events())
    assert rig.store.reader.wait(head - 1, PATIENCE)

    rig.terminate("bourse-listener")
    head = writer.append(stream.events())

    assert rig.store.reader.wait(head - 1, PATIENCE)


def test_without_a_server_the_log_is_unavailable():
    with pytest.raises(LogUnavailable):
        PostgresEventStore("postgresql://nobody@127.0.0.1:1/none?connect_timeout=2")


def test_a_host_records_events_and_how_far_it_has_come_as_one(rig: PostgresRig):
    recorder, stream = rig.postgres.recorder(), SampleStream("payment-1")
    recorder.insert_events(stored(stream, 2), tracking=Tracking("payouts", 7))

    with pytest.raises(IntegrityError):
        recorder.insert_events(stored(stream, 2), tracking=Tracking("payouts", 7))

    assert recorder.max_tracking_id("payouts") == 7
    assert [fact.version for fact in rig.store.reader.read(0, 10).facts] == [1, 2]


def test_a_subscriber_misses_nothing_of_many_concurrent_appends(rig: PostgresRig):
    """Threads append through the library and through leases at the same time."""
    recorder, writer = rig.postgres.recorder(), rig.acquire()
    threads = 5
    sizes = [1 + n % 4 for n in range(60)]
    more_sizes = [1 + n % 7 for n in range(180)]

    def record(number: int) -> None:
        stream = SampleStream(f"payment-{number}")
        for size in sizes:
            recorder.insert_events(stored(stream, size))

    def append() -> None:
        stream = SampleStream()
        for size in more_sizes:
            writer.append(stream.events(size))

    workers = [threading.Thread(target=record, args=(n,)) for n in range(threads)]
    workers.append(threading.Thread(target=append))

    def end() -> None:
        for worker in workers:
            worker.join()
        recorder.insert_events(stored(SampleStream("the-end"), 1))

    seen: list[int] = []
    with recorder.subscribe(gt=0) as subscription:
        for worker in [*workers, threading.Thread(target=end)]:
            worker.start()
        for notification in subscription:
            seen.append(notification.id)
            if notification.originator_id == "the-end":
                break

    committed = [fact.position for fact in rig.store.reader.read(0, 10_000).facts]
    assert len(committed) == 1 + threads * sum(sizes) + sum(more_sizes)
    assert seen == committed
