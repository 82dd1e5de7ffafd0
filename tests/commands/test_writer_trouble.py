"""docs/rules/commands.md: when a commit fails, and when a defect strikes."""

import asyncio
import threading

import pytest

from commands.handlers import dispatch
from commands.messages import CancelOrder, Command, HaltMarket
from commands.ports import LogUnavailable
from commands.state.exchange import Exchange
from commands.writer import group_commit
from commands.writer.leadership import WriterState
from domain.errors import CommitFailed, InvalidOrder
from tests.support.troubled_store import PATIENCE, Trouble, TroubledStore
from tests.support.writers import Server, keyed_halt


@pytest.mark.rule("COMMAND-04")
async def test_a_failed_commit_fails_every_waiting_command(server: Server):
    head = server.store.reader.head()
    flying = await server.in_flight(server.order(1))
    waiting = server.send(server.order(2))
    await asyncio.sleep(0)

    server.store.trouble = Trouble.LOST
    server.store.commits.let_go()
    outcomes = await asyncio.gather(flying, waiting, return_exceptions=True)

    assert [type(each) for each in outcomes] == [CommitFailed, CommitFailed]
    assert server.store.reader.head() == head
    assert server.writer.waiting == 0


@pytest.mark.rule("COMMAND-04")
async def test_after_a_failed_commit_the_state_is_that_of_the_log(server: Server):
    server.store.trouble = Trouble.LOST
    with pytest.raises(CommitFailed):
        await server.writer.execute(server.order(1))
    await server.becomes(WriterState.LEADER)

    alice = server.writer.exchange.wallet("alice")
    assert (alice.held, alice.ledger) == (0, 100_000_000)
    # The same command may be sent again, and is no repeat.
    assert not (await server.writer.execute(server.order(1))).repeated
    assert server.states[-2:] == [WriterState.RECOVERING, WriterState.LEADER]


@pytest.mark.rule("COMMAND-03")
@pytest.mark.rule("COMMAND-04")
async def test_a_refusal_that_rests_on_a_failed_commit_fails_too(
    server: Server,
):
    await server.writer.execute(server.order(1))
    cancel = CancelOrder(server.meta(), "alice", "order-1")
    flying = await server.in_flight(cancel)
    again = server.send(cancel)
    await asyncio.sleep(0)

    server.store.trouble = Trouble.LOST
    server.store.commits.let_go()
    outcomes = await asyncio.gather(flying, again, return_exceptions=True)

    # Not "already canceled": the order is open, and may trade.
    assert [type(each) for each in outcomes] == [CommitFailed, CommitFailed]
    await server.becomes(WriterState.LEADER)
    assert list(server.writer.exchange.wallet("alice").holds) == ["order-1"]


@pytest.mark.rule("COMMAND-04")
async def test_a_dropped_state_is_never_reported_as_durable(server: Server):
    flying = await server.in_flight(server.order(1))
    hashes = asyncio.create_task(server.writer.streams())
    await asyncio.sleep(0)
    server.store.trouble = Trouble.LOST
    server.store.commits.let_go()

    for each in (flying, hashes):
        with pytest.raises(CommitFailed):
            await each


@pytest.mark.rule("COMMAND-04")
async def test_hashes_of_a_dropped_state_fail_even_if_its_facts_are_durable(
    server: Server,
):
    flying = await server.in_flight(server.order(1))
    hashes = asyncio.create_task(server.writer.streams())
    await asyncio.sleep(0)
    server.store.trouble = Trouble.ANSWER_LOST
    server.store.commits.let_go()

    assert await flying
    # The writer dropped the state that it hashed.
    with pytest.raises(CommitFailed):
        await hashes


@pytest.mark.rule("COMMAND-05")
async def test_a_commit_that_succeeded_without_an_answer_is_a_success(server: Server):
    head = server.store.reader.head()
    flying = await server.in_flight(server.order(1))
    waiting = server.send(server.order(2))
    await asyncio.sleep(0)

    server.store.trouble = Trouble.ANSWER_LOST
    server.store.commits.let_go()

    assert (await flying).position == server.store.reader.head() == head + 2
    with pytest.raises(CommitFailed):
        await waiting
    await server.becomes(WriterState.LEADER)
    assert list(server.writer.exchange.wallet("alice").holds) == ["order-1"]
    assert server.writer.waiting == 0


@pytest.mark.rule("COMMAND-05")
async def test_a_commit_in_doubt_fails_while_another_writer_leads(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(group_commit, "DOUBT_SECONDS", 0.01)
    flying = await server.in_flight(server.order(1))
    # From now on another writer holds the lease.
    server.store.log.break_lease()
    other = server.store.log.acquire()
    assert other is not None

    server.store.commits.let_go()

    with pytest.raises(CommitFailed):
        await flying
    assert server.writer.waiting == 0
    other.close()
    await server.becomes(WriterState.LEADER)


@pytest.mark.rule("COMMAND-05")
async def test_an_answer_that_comes_after_giving_up_changes_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(group_commit, "DOUBT_SECONDS", 0.01)
    broken = break_once(monkeypatch)
    flying = await server.in_flight(server.order(1))
    with pytest.raises(ZeroDivisionError):
        await server.writer.execute(server.halt())
    broken()

    # The writer dropped its memory and gave up; the commit still waits.
    with pytest.raises(CommitFailed):
        await flying
    server.store.commits.let_go()
    await server.becomes(WriterState.LEADER)

    assert server.writer.waiting == 0
    assert (await server.writer.execute(server.order(1))).repeated


@pytest.mark.rule("COMMAND-05")
@pytest.mark.parametrize("trouble", [Trouble.LOST, Trouble.ANSWER_LOST])
async def test_a_doubt_that_resolves_after_giving_up_changes_nothing(
    server: Server, monkeypatch: pytest.MonkeyPatch, trouble: Trouble
):
    monkeypatch.setattr(group_commit, "DOUBT_SECONDS", 0.01)
    server.store.finds.hold()
    server.store.trouble = trouble

    with pytest.raises(CommitFailed):
        await server.writer.execute(server.order(1))
    server.store.finds.let_go()
    await server.becomes(WriterState.LEADER)

    assert server.writer.waiting == 0
    again = await server.writer.execute(server.order(1))
    assert again.repeated is (trouble is Trouble.ANSWER_LOST)


@pytest.mark.rule("COMMAND-04")
async def test_the_writer_retries_until_the_log_is_available(store: TroubledStore):
    store.is_away = True
    server = Server(store)
    server.start()

    assert await asyncio.to_thread(store.asked.wait, PATIENCE)
    with pytest.raises(LogUnavailable):
        store.reader.head()
    store.is_away = False

    await server.becomes(WriterState.LEADER)
    await server.stop()


@pytest.mark.rule("COMMAND-04")
async def test_recovery_retries_if_the_log_becomes_unavailable(server: Server):
    flying = await server.in_flight(server.order(1))
    server.store.trouble = Trouble.ANSWER_LOST
    server.store.fail_replays(1)

    server.store.commits.let_go()

    assert (await flying).position == server.store.reader.head()
    await server.becomes(WriterState.LEADER)


async def test_a_repeat_is_unavailable_while_the_log_is(server: Server):
    await server.writer.execute(keyed_halt())
    server.store.is_away = True

    with pytest.raises(LogUnavailable):
        await server.writer.execute(keyed_halt())

    server.store.is_away = False


# --- defects ---


def break_once(monkeypatch: pytest.MonkeyPatch, error: type[Exception] | None = None):
    """Make a halt record its fact and then raise; return a function that repairs it."""
    whole = dispatch.HANDLERS[HaltMarket]

    def half(exchange: Exchange, command: Command) -> None:
        whole(exchange, command)
        if error is not None:
            raise error("half way")
        raise ZeroDivisionError

    monkeypatch.setitem(dispatch.HANDLERS, HaltMarket, half)

    def mend() -> None:
        monkeypatch.setitem(dispatch.HANDLERS, HaltMarket, whole)

    return mend


@pytest.mark.rule("COMMAND-01")
@pytest.mark.rule("COMMAND-04")
@pytest.mark.parametrize("error", [ZeroDivisionError, InvalidOrder])
async def test_a_defect_in_one_command_affects_no_other(
    server: Server, monkeypatch: pytest.MonkeyPatch, error: type[Exception]
):
    await server.writer.execute(server.order(1))
    head = server.store.reader.head()
    mend = break_once(monkeypatch, error)

    with pytest.raises(error):
        await server.writer.execute(server.halt())
    mend()
    await server.becomes(WriterState.LEADER)

    assert server.store.reader.head() == head
    assert not server.writer.exchange.market("ACME").halted
    assert list(server.writer.exchange.wallet("alice").holds) == ["order-1"]
    assert await server.writer.execute(server.halt())


@pytest.mark.rule("COMMAND-04")
async def test_a_defect_fails_the_commands_in_the_open_batch(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    head = server.store.reader.head()
    mend = break_once(monkeypatch)

    waiting = server.submit(server.order(1))
    with pytest.raises(ZeroDivisionError):
        server.submit(server.halt())
    mend()

    with pytest.raises(CommitFailed):
        await waiting.answer()
    await server.becomes(WriterState.LEADER)
    assert server.store.reader.head() == head


@pytest.mark.rule("COMMAND-04")
async def test_a_defect_does_not_affect_the_commit_in_progress(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    flying = await server.in_flight(server.order(1))
    waiting = server.send(server.order(2))
    await asyncio.sleep(0)
    mend = break_once(monkeypatch)

    with pytest.raises(ZeroDivisionError):
        await server.writer.execute(server.halt())
    mend()
    server.store.commits.let_go()

    assert (await flying).position == server.store.reader.head()
    with pytest.raises(CommitFailed):
        await waiting
    await server.becomes(WriterState.LEADER)
    assert list(server.writer.exchange.wallet("alice").holds) == ["order-1"]


@pytest.mark.rule("COMMAND-04")
async def test_a_defect_in_the_log_is_like_a_failed_commit(
    server: Server, monkeypatch: pytest.MonkeyPatch
):
    reported: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", reported.append)
    server.store.trouble = Trouble.DEFECT

    with pytest.raises(CommitFailed):
        await asyncio.wait_for(server.writer.execute(server.order(1)), PATIENCE)
    await server.becomes(WriterState.LEADER)

    assert [each.exc_type for each in reported] == [ZeroDivisionError]
    assert await server.writer.execute(server.order(1))
