"""A server notes a refusal without waiting, and the leader records it once."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator, Sequence

import msgspec
import pytest

from api.app import create_app
from commands.ports import LogUnavailable
from domain.accounts.user import SECURITY_FACTS_PER_MINUTE
from domain.events.event import Meta
from domain.events.security import (
    AccessRefused,
    LoginFailed,
    OperationForced,
    SecurityEvent,
)
from infra.log.connection import Datastore, connect
from infra.log.migrations import migrate
from infra.security.security_notes import QueuedSecurityNotes
from infra.security.security_outbox import (
    PENDING_MAX,
    PostgresSecurityOutbox,
    keep,
)
from tests.infra.sample_events import AT
from tests.support.memory import MemorySecurityOutbox
from tests.support.served import Served, served
from tests.support.troubled_store import PATIENCE, Trouble

MINUTE = 60_000_000
NOON = AT - AT % MINUTE


@pytest.fixture
async def server() -> AsyncGenerator[Served]:
    async with served() as server:
        yield server


@pytest.fixture
def datastore(database_url: str) -> Generator[Datastore]:
    migrate(database_url)
    with Datastore(database_url) as datastore:
        yield datastore


def refusal(number: int, at: int = NOON) -> LoginFailed:
    return LoginFailed(Meta(at, "anonymous", f"note-{number}"), "claim")


def recorded(server: Served) -> list[str]:
    """Return the command ids of the recorded refusals."""
    return [
        fact.event.meta.command_id
        for fact in server.log.reader.read(0, 1_000).facts
        if isinstance(fact.event, SecurityEvent)
    ]


class WatchedOutbox(MemorySecurityOutbox):
    """An outbox that lets a test wait for the first note."""

    def __init__(self) -> None:
        super().__init__()
        self.added = threading.Event()

    def add(self, notes: Sequence[SecurityEvent]) -> None:
        super().add(notes)
        self.added.set()


@pytest.mark.rule("USER-07")
async def test_what_is_noted_is_handed_over_by_a_task():
    outbox = WatchedOutbox()
    notes = QueuedSecurityNotes(outbox)
    task = asyncio.create_task(notes.keep_handing_over())

    notes.note(refusal(1))

    assert await asyncio.to_thread(outbox.added.wait, PATIENCE)
    task.cancel()
    assert outbox.pending(10) == [refusal(1)]


@pytest.mark.rule("USER-07")
async def test_a_flood_is_bounded_and_the_next_minute_is_noted_again():
    outbox = MemorySecurityOutbox()
    notes = QueuedSecurityNotes(outbox)

    for number in range(10_000):
        notes.note(refusal(number))
    notes.note(refusal(10_000, NOON + MINUTE))
    await notes.hand_over()

    assert len(outbox.pending(10_000)) == SECURITY_FACTS_PER_MINUTE + 1
    assert outbox.pending(10_000)[-1] == refusal(10_000, NOON + MINUTE)


class OutboxAway(MemorySecurityOutbox):
    """An outbox that does not answer for a while. It loses no note that it took."""

    def __init__(self) -> None:
        super().__init__()
        self.is_away = True

    def add(self, notes: Sequence[SecurityEvent]) -> None:
        super().add(notes)
        if self.is_away:
            raise LogUnavailable("no answer")


@pytest.mark.rule("USER-07")
async def test_a_note_that_got_no_answer_is_sent_again_and_is_one_note():
    outbox = OutboxAway()
    notes = QueuedSecurityNotes(outbox)
    notes.note(refusal(1))
    with pytest.raises(LogUnavailable):
        await notes.hand_over()

    outbox.is_away = False
    await notes.hand_over()
    await notes.hand_over()

    assert outbox.pending(10) == [refusal(1)]


@pytest.mark.rule("USER-07")
async def test_a_note_that_cannot_be_handed_over_is_given_up_in_the_end(
    monkeypatch: pytest.MonkeyPatch,
):
    outbox = MemorySecurityOutbox()
    notes = QueuedSecurityNotes(outbox)
    notes.note(refusal(1))
    monkeypatch.setattr("infra.security.security_notes.PATIENCE_SECONDS", -1.0)

    await notes.hand_over()

    assert outbox.pending(10) == []


@pytest.mark.rule("USER-07")
async def test_a_request_is_refused_although_postgres_does_not_answer(server: Served):
    with Datastore("postgresql://nobody@127.0.0.1:1/none") as away:
        notes = QueuedSecurityNotes(PostgresSecurityOutbox(away))
        services = msgspec.structs.replace(server.services, security_notes=notes)
        ada = await server.person()
        server.app = create_app(services)
        client = server.client(ada.token)

        response = await client.post("/v2/admin/assets/ACME/halt")

        assert response.status_code == 403
        with pytest.raises(LogUnavailable):
            await notes.hand_over()


@pytest.mark.rule("USER-07")
@pytest.mark.parametrize("trouble", [Trouble.LOST, Trouble.ANSWER_LOST])
async def test_a_writer_that_loses_the_log_while_it_records_records_once(
    server: Served, trouble: Trouble
):
    server.log.outbox.add([refusal(1), refusal(2)])
    server.store.trouble = trouble
    server.leads.clear()

    await server.recorder.drain()
    await asyncio.wait_for(server.leads.wait(), PATIENCE)
    await server.recorder.drain()
    await server.recorder.drain()

    assert recorded(server) == ["note-1", "note-2"]
    assert server.log.outbox.pending(10) == []


@pytest.mark.rule("USER-07")
async def test_a_server_that_does_not_lead_records_nothing(server: Served):
    server.log.outbox.add([refusal(1)])
    await server.writer.stop()

    await server.recorder.drain()

    assert server.log.outbox.pending(10) == [refusal(1)]


@pytest.mark.rule("USER-04")
async def test_refusals_beyond_the_rate_of_all_servers_are_dropped(server: Served):
    server.log.outbox.add([refusal(n) for n in range(SECURITY_FACTS_PER_MINUTE + 20)])

    await server.recorder.drain()
    await server.recorder.drain()

    assert len(recorded(server)) == SECURITY_FACTS_PER_MINUTE
    assert server.log.outbox.pending(100) == []


@pytest.mark.rule("USER-07")
@pytest.mark.rule("FORCE-02")
async def test_each_kind_of_note_is_recorded_as_it_was_noted(server: Served):
    access = AccessRefused(Meta(NOON, "user", "note-2"), "POST /v2/admin/assets")
    forced = OperationForced(
        Meta(NOON, "operator", "note-3"), "rebuild", "log-unsound", "balances"
    )
    server.log.outbox.add([refusal(1), access, forced])

    await server.recorder.drain()

    facts = server.log.reader.read(0, 10).facts
    assert [fact.event for fact in facts] == [refusal(1), access, forced]


def test_a_handled_note_is_forgotten_after_a_while(
    datastore: Datastore, database_url: str
):
    outbox = PostgresSecurityOutbox(datastore)
    outbox.add([refusal(1), refusal(2)])
    outbox.drop(["note-1"])
    with connect(database_url, name="test") as connection:
        connection.execute(
            "UPDATE security_outbox SET noted_at = noted_at - interval '1 day', "
            "handled_at = handled_at - interval '1 hour'"
        )

        outbox.sweep()

        left = connection.execute("SELECT note_id FROM security_outbox").fetchall()
    assert left == [("note-2",)]


@pytest.mark.rule("FORCE-02")
def test_the_note_of_a_forced_operation_waits_however_full_the_outbox_is(
    datastore: Datastore,
):
    outbox = PostgresSecurityOutbox(datastore)
    outbox.add([refusal(n) for n in range(PENDING_MAX)])
    forced = OperationForced(
        Meta(NOON, "operator", "note-x"), "rebuild", "log-unsound", "balances"
    )

    with datastore.rows() as cursor:
        keep(cursor, forced)

    assert forced in outbox.pending(PENDING_MAX + 1)
