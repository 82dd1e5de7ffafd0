"""docs/rules/commands.md: the writer commits in groups and answers after the commit."""

import asyncio

import pytest

from commands.answers import Answer
from commands.messages import CancelOrder, ResumeMarket
from commands.state import frozen
from commands.writer import group_commit, leadership
from commands.writer.leadership import WriterState
from commands.writer.recovery import NotWanted, recover, take_snapshot
from commands.writer.writer import Writer
from domain.errors import (
    Busy,
    CommitFailed,
    InsufficientFunds,
    NotLeading,
    OrderDone,
)
from domain.events.market import Halted, OrderAccepted
from domain.events.wallet import FundsHeld
from infra.runtime.clock import SystemClock
from tests.support.facts import extend, log_of
from tests.support.flow import Flow
from tests.support.memory import MemorySnapshotStore
from tests.support.troubled_store import PATIENCE, TroubledStore
from tests.support.writers import Server


@pytest.mark.rule("COMMAND-03")
async def test_an_answer_comes_after_the_commit(server: Server):
    head = server.store.reader.head()

    sent = await server.in_flight(server.order(1))

    assert not sent.done()
    assert server.store.reader.head() == head
    server.store.commits.let_go()
    answer = await sent
    assert answer.position == server.store.reader.head() == head + 2
    assert [type(each.event) for each in answer.facts] == [FundsHeld, OrderAccepted]
    assert not answer.repeated


@pytest.mark.rule("COMMAND-03")
async def test_a_refusal_needs_no_commit(server: Server):
    server.store.appends.clear()

    with pytest.raises(InsufficientFunds):
        server.submit(server.order(1, price=10**9))

    assert server.store.appends == []
    assert server.writer.waiting == 0


@pytest.mark.rule("COMMAND-03")
async def test_a_refusal_waits_for_the_facts_it_rests_on(server: Server):
    await server.writer.execute(server.order(1))
    cancel = CancelOrder(server.meta(), "alice", "order-1")
    flying = await server.in_flight(cancel)

    again = server.send(cancel)
    await asyncio.sleep(0)

    assert not again.done()
    server.store.commits.let_go()
    await flying
    with pytest.raises(OrderDone):
        await again
    assert server.writer.waiting == 0


@pytest.mark.rule("COMMAND-03")
async def test_commands_that_arrive_during_a_commit_share_the_next_one(server: Server):
    server.store.appends.clear()
    first = await server.in_flight(server.order(0))

    rest = [server.send(server.order(number)) for number in range(1, 31)]
    await asyncio.sleep(0)
    server.store.commits.let_go()
    answers = await asyncio.gather(first, *rest)

    assert server.store.appends == [2, 60]
    for answer in answers:
        assert is_in_the_log(server, answer)


@pytest.mark.rule("COMMAND-03")
async def test_commands_of_one_turn_of_the_loop_share_a_commit(server: Server):
    server.store.appends.clear()

    pending = [server.submit(server.order(number)) for number in range(10)]
    for each in pending:
        assert is_in_the_log(server, await each.answer())

    assert server.store.appends == [20]


def is_in_the_log(server: Server, answer: Answer) -> bool:
    """Return whether the log has the answer's facts, up to the answer's position."""
    first = answer.position - len(answer.facts)
    facts = server.store.reader.read(first, len(answer.facts)).facts
    return [each.event for each in facts] == [each.event for each in answer.facts]


async def test_a_client_that_hangs_up_does_not_affect_others(server: Server):
    first = await server.in_flight(server.order(1))
    second = server.send(server.order(2))
    await asyncio.sleep(0)

    first.cancel()
    server.store.commits.let_go()

    assert (await second).position == server.store.reader.head()
    with pytest.raises(asyncio.CancelledError):
        await first


async def test_a_command_without_effect_needs_no_commit(server: Server):
    await server.writer.execute(server.halt())
    head = server.store.reader.head()
    server.store.appends.clear()

    answer = await server.writer.execute(server.halt())

    assert (answer.position, list(answer.facts)) == (head, [])
    assert server.store.appends == []


async def test_a_command_without_effect_waits_for_the_facts_it_rests_on(server: Server):
    halted = await server.in_flight(server.halt())
    again = server.send(server.halt())
    await asyncio.sleep(0)

    assert not again.done()
    server.store.commits.let_go()

    assert [type(each.event) for each in (await halted).facts] == [Halted]
    assert (await again) == Answer((await halted).position, [])


async def test_commands_with_and_without_effect_may_share_a_commit(server: Server):
    head = server.store.reader.head()

    none = server.submit(ResumeMarket(server.meta(), "ACME"))
    one = server.submit(server.halt())
    after = server.submit(server.halt())

    answers = [await each.answer() for each in (none, one, after)]
    assert [each.position for each in answers] == [head, head + 1, head + 1]
    assert [len(each.facts) for each in answers] == [0, 1, 0]


@pytest.mark.rule("COMMAND-03")
async def test_the_hashes_wait_until_everything_decided_is_durable(server: Server):
    await server.writer.streams()
    sent = [await server.in_flight(server.order(1))]
    flying = asyncio.create_task(server.writer.streams())
    await asyncio.sleep(0)
    sent.append(server.send(server.order(2)))
    await asyncio.sleep(0)
    waiting = asyncio.create_task(server.writer.streams())
    await asyncio.sleep(0)

    assert not flying.done()
    assert not waiting.done()
    server.store.commits.let_go()

    await flying
    await waiting
    answers = await asyncio.gather(*sent)
    assert max(each.position for each in answers) == server.store.reader.head()


async def test_a_writer_works_without_a_state_callback(store: TroubledStore):
    writer = Writer(store, clock=SystemClock())
    running = asyncio.create_task(writer.run())
    assert await asyncio.to_thread(store.asked.wait, PATIENCE)

    await writer.stop()
    await running

    assert writer.state is WriterState.STANDBY


@pytest.mark.rule("COMMAND-07")
async def test_the_writer_refuses_commands_if_too_many_wait(server: Server):
    sent = [await server.in_flight(server.order(0))]
    sent += [server.send(server.order(number)) for number in range(1, 100)]
    await asyncio.sleep(0)

    with pytest.raises(Busy):
        await server.writer.execute(server.order(100))

    server.store.commits.let_go()
    await asyncio.gather(*sent)
    assert server.writer.waiting == 0
    assert await server.writer.execute(server.order(100))


# --- leading and following ---


@pytest.mark.rule("COMMAND-06")
async def test_a_standby_refuses_commands(standby: Server):
    await standby.becomes(WriterState.STANDBY)

    with pytest.raises(NotLeading):
        await standby.writer.execute(standby.halt())


@pytest.mark.rule("COMMAND-06")
async def test_a_standby_takes_over_the_state_of_the_leader(
    server: Server, standby: Server
):
    await server.writer.execute(server.order(1))
    before = hashes(server.writer)
    await server.stop()

    await standby.becomes(WriterState.LEADER)

    assert hashes(standby.writer) == before
    assert await standby.writer.execute(standby.order(2))
    assert server.writer.state is WriterState.STANDBY
    assert standby.states == [
        WriterState.STANDBY,
        WriterState.RECOVERING,
        WriterState.LEADER,
    ]


@pytest.mark.rule("COMMAND-06")
async def test_a_leader_that_loses_the_lease_stops_leading(server: Server):
    server.store.log.break_lease()
    other = server.store.log.acquire()

    await server.becomes(WriterState.STANDBY)

    with pytest.raises(NotLeading):
        await server.writer.execute(server.halt())
    assert other is not None
    other.close()
    await server.becomes(WriterState.LEADER)


def hashes(writer: Writer) -> dict[str, str]:
    streams = writer.exchange.streams
    return {name: frozen.state_hash(each) for name, each in streams.items()}


# --- stopping ---


async def test_stopping_makes_the_accepted_commands_durable(server: Server):
    sent = [await server.in_flight(server.order(0))]
    sent += [server.send(server.order(number)) for number in range(1, 10)]
    await asyncio.sleep(0)

    stopping = asyncio.create_task(server.writer.stop())
    await asyncio.sleep(0)
    with pytest.raises(NotLeading):
        await server.writer.execute(server.order(10))
    server.store.commits.let_go()
    await stopping

    answers = await asyncio.gather(*sent)
    assert max(each.position for each in answers) == server.store.reader.head()


async def test_stopping_gives_the_lease_back(server: Server):
    await server.stop()

    assert server.store.log.epoch_held is None


@pytest.mark.rule("COMMAND-04")
async def test_stopping_does_not_wait_for_ever_for_a_log_that_hangs(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(leadership, "STOP_SECONDS", 0.01)
    monkeypatch.setattr(group_commit, "JOIN_SECONDS", 0.01)
    flying = await server.in_flight(server.order(1))
    waiting = server.send(server.order(2))
    await asyncio.sleep(0)

    await server.writer.stop()

    for each in (flying, waiting):
        with pytest.raises(CommitFailed):
            await each
    assert server.writer.waiting == 0


async def test_a_standby_can_be_stopped(standby: Server):
    assert standby.writer.state is WriterState.RECOVERING
    await standby.becomes(WriterState.STANDBY)

    await standby.stop()

    assert standby.states == [WriterState.STANDBY]


@pytest.mark.parametrize("facts", [0, 10])
async def test_a_writer_that_stops_while_it_recovers_does_not_lead(
    store: TroubledStore, facts: int
):
    if facts:
        extend(store.log.reader, Flow(1).run(facts))
    store.replays.hold()
    server = Server(store)
    server.start()
    assert await asyncio.to_thread(store.replays.arrived.wait, PATIENCE)

    await server.writer.stop()
    store.replays.let_go()
    await server.stop()

    assert WriterState.LEADER not in server.states
    assert store.log.epoch_held is None


def test_a_replay_ends_early_if_nobody_wants_it():
    with pytest.raises(NotWanted):
        recover(log_of(Flow(1).run(10)), is_wanted=lambda: False)


# --- coming back ---


@pytest.mark.rule("COMMAND-08")
async def test_a_new_writer_restores_the_committed_state(server: Server):
    await server.writer.execute(server.order(1))
    before = hashes(server.writer)
    await server.stop()

    other = Server(server.store)
    other.start()
    await other.becomes(WriterState.LEADER)

    assert hashes(other.writer) == before
    assert other.writer.exchange.position == server.store.reader.head()
    await other.stop()


@pytest.mark.rule("COMMAND-08")
async def test_a_writer_begins_with_the_newest_snapshot(server: Server):
    snapshots = MemorySnapshotStore()
    await server.writer.execute(server.order(1))
    position = take_snapshot(server.store.reader, snapshots)
    await server.writer.execute(server.order(2))
    before = hashes(server.writer)
    await server.stop()

    other = Server(server.store, snapshots)
    other.start()
    await other.becomes(WriterState.LEADER)

    assert position == server.store.reader.head() - 2
    assert hashes(other.writer) == before
    await other.stop()
