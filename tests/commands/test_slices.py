"""docs/rules/orders.md: a cancel-all of many orders is carried out in slices."""

import asyncio

import pytest
import pytest_asyncio

from commands.answers import Answer
from commands.handlers import slices
from commands.handlers.dispatch import HANDLERS
from commands.messages import (
    CancelAllOrders,
    CancelOrder,
    CloseAllPositions,
    Command,
    ContinueCancelAll,
    PlaceOrder,
    ReplaceOrder,
)
from commands.ports import LogUnavailable
from commands.state import frozen
from commands.state.exchange import Exchange
from commands.writer import slices as slice_runner
from commands.writer.leadership import WriterState
from commands.writer.recovery import recover, take_snapshot
from domain.errors import (
    CancelAllInProgress,
    NotLeading,
    Unavailable,
)
from domain.events.market import (
    OrderCanceled,
    TradeExecuted,
)
from domain.events.wallet import CancelAllAccepted, CancelAllCompleted
from domain.market.order import Replacement
from domain.vocabulary import OrderStatus, TimeInForce
from tests.support.memory import MemorySnapshotStore
from tests.support.sliced import (
    NAMES,
    ORDERS,
    LosingStore,
    assert_replayed,
    cancel_all,
    canceled,
    few_in_a_slice,
    kinds,
    open_ones,
    open_with_orders,
    order,
    outcome,
    status,
)
from tests.support.spec import AT
from tests.support.tickets import ticket
from tests.support.troubled_store import PATIENCE, Trouble, TroubledStore
from tests.support.venue import Venue
from tests.support.writers import Server


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    few_in_a_slice(monkeypatch)


@pytest.fixture
def store() -> TroubledStore:
    return LosingStore()


@pytest_asyncio.fixture
async def leader(server: Server) -> Server:
    await open_with_orders(server)
    return server


@pytest.mark.rule("ORDER-16")
async def test_a_cancel_all_in_slices_cancels_every_order_and_answers_once(
    leader: Server,
):
    before = len(leader.store.appends)

    answer = await leader.writer.execute(cancel_all(leader))

    assert canceled(answer) == sorted(NAMES)
    assert open_ones(leader.writer.exchange) == []
    assert leader.writer.exchange.wallet("alice").cancel_all is None
    assert answer.position == leader.store.reader.head()
    # The acceptance; three slices of three orders; one order and the completion.
    assert leader.store.appends[before:] == [1, 6, 6, 6, 3]
    assert_replayed(leader)


@pytest.mark.rule("ORDER-12")
async def test_a_cancel_all_of_one_slice_is_one_command(leader: Server):
    await leader.writer.execute(cancel_all(leader))
    for number in range(100, 103):
        await leader.writer.execute(order(leader, number))
    before = leader.store.reader.head()

    await leader.writer.execute(command := cancel_all(leader))

    facts = leader.store.reader.read(before, 100).facts
    assert {each.event.meta for each in facts} == {command.meta}
    assert len(facts) == 6


@pytest.mark.rule("ORDER-16")
async def test_a_cancel_all_covers_what_was_open_when_it_was_accepted(leader: Server):
    sent = await leader.in_flight(cancel_all(leader))
    later = leader.submit(order(leader, 77))
    leader.store.commits.let_go()

    answer = await sent
    await later.answer()

    assert canceled(answer) == sorted(NAMES)
    assert open_ones(leader.writer.exchange) == ["order-77"]
    assert_replayed(leader)


@pytest.mark.rule("ORDER-16")
async def test_only_the_named_instruments_are_canceled(leader: Server):
    named = CancelAllOrders(leader.meta(), "alice", ("ACME",))
    exchange = leader.writer.exchange
    exchange.wallet("alice").accept_cancel_all(("OTHER",), meta=leader.meta())

    commands = list(
        slices.slices_of_cancel_all(exchange, exchange.wallet("alice"), lambda: AT)
    )
    exchange.wallet("alice").complete_cancel_all(meta=leader.meta())
    exchange.outbox.clear()

    # None stands for orders that were seen and are not due.
    assert commands[:-1] == [None, None]
    last = commands[-1]
    assert isinstance(last, ContinueCancelAll)
    assert (last.order_ids, last.last) == ((), True)
    assert canceled(await leader.writer.execute(named)) == sorted(NAMES)


@pytest.mark.rule("ORDER-16")
async def test_a_covered_order_may_end_between_the_slices(leader: Server):
    sent = await leader.in_flight(cancel_all(leader))
    own = leader.submit(CancelOrder(leader.meta(), "alice", "order-8"))
    buy = ticket(
        order_id="bobs",
        client_order_id="bobs",
        account_id="bob",
        quantity=5,
        limit_price=30_000,
        time_in_force=TimeInForce.IOC,
    )
    trade = leader.submit(PlaceOrder(leader.meta(), buy))
    leader.store.commits.let_go()

    answer = await sent
    await own.answer()
    await trade.answer()

    filled = [n for n in NAMES if status(leader.writer.exchange, n) == "filled"]
    assert filled
    assert canceled(answer) == sorted({*NAMES} - {*filled} - {"order-8"})
    assert open_ones(leader.writer.exchange) == []
    assert_replayed(leader)


@pytest.mark.rule("ORDER-16")
async def test_no_order_of_the_account_is_replaced_during_a_cancel_all(leader: Server):
    sent = await leader.in_flight(cancel_all(leader))
    new = Replacement("new", "new", 2)
    replacing = leader.send(ReplaceOrder(leader.meta(), "alice", "order-9", new))
    await asyncio.sleep(0)
    leader.store.commits.let_go()

    await sent

    with pytest.raises(CancelAllInProgress):
        await replacing
    assert open_ones(leader.writer.exchange) == []


@pytest.mark.rule("ORDER-16")
async def test_a_second_cancel_all_waits_for_the_first_and_covers_what_came_since(
    leader: Server,
):
    first = await leader.in_flight(cancel_all(leader))
    later = [leader.submit(order(leader, number)) for number in range(50, 55)]
    second = leader.send(cancel_all(leader))
    unable_to_wait = leader.submit(cancel_all(leader))
    leader.store.commits.let_go()

    answers = await asyncio.gather(first, second)
    with pytest.raises(CancelAllInProgress):
        await unable_to_wait.answer()
    for each in later:
        await each.answer()

    assert canceled(answers[0]) == sorted(NAMES)
    assert canceled(answers[1]) == [f"order-{number}" for number in range(50, 55)]
    assert open_ones(leader.writer.exchange) == []
    assert_replayed(leader)


@pytest.mark.rule("COMMAND-02")
async def test_a_repeat_during_and_after_a_cancel_all_gets_its_answer(leader: Server):
    sent = await leader.in_flight(cancel_all(leader, "key"))
    during = leader.send(cancel_all(leader, "key"))
    leader.store.commits.let_go()

    answer, repeated = await asyncio.gather(sent, during)
    await leader.writer.execute(order(leader, 60))
    after = await leader.writer.execute(cancel_all(leader, "key"))

    assert canceled(answer) == sorted(NAMES)
    for each in (repeated, after):
        assert each.repeated
        assert each.position == answer.position
        assert canceled(each) == canceled(answer)
    assert open_ones(leader.writer.exchange) == ["order-60"]


@pytest.mark.rule("ORDER-16")
@pytest.mark.parametrize("fate", [Trouble.LOST, Trouble.ANSWER_LOST])
@pytest.mark.parametrize("slice_lost", range(5))
async def test_a_lost_commit_after_any_slice_ends_in_the_same_state(
    leader: Server, slice_lost: int, fate: Trouble
):
    assert isinstance(leader.store, LosingStore)
    leader.store.left, leader.store.fate = slice_lost, fate

    first = await outcome(leader.send(cancel_all(leader, "key")))
    await leader.becomes(WriterState.LEADER)
    again = await leader.writer.execute(cancel_all(leader, "key"))

    assert isinstance(first, Answer | Unavailable)
    assert canceled(again) == sorted(NAMES)
    assert open_ones(leader.writer.exchange) == []
    assert kinds(leader).count(OrderCanceled) == ORDERS
    assert kinds(leader).count(CancelAllCompleted) == 1
    assert_replayed(leader)


@pytest.mark.rule("ORDER-16")
@pytest.mark.parametrize("passing", range(1, 5))
async def test_a_standby_finishes_a_cancel_all_by_itself(
    leader: Server, standby: Server, passing: int
):
    assert isinstance(leader.store, LosingStore)
    leader.store.left = passing
    leader.store.is_away = False

    refused = await outcome(leader.send(cancel_all(leader, "key")))
    await leader.stop()
    await standby.becomes(WriterState.LEADER)
    # It waits for the one that the standby carries on.
    await standby.writer.execute(cancel_all(standby))

    assert isinstance(refused, Unavailable)
    assert open_ones(standby.writer.exchange) == []
    assert kinds(standby).count(CancelAllAccepted) == 1
    assert kinds(standby).count(CancelAllCompleted) == 1
    assert_replayed(standby)


@pytest.mark.rule("COMMAND-08")
async def test_a_snapshot_between_slices_carries_the_cancel_all(leader: Server):
    sent = await leader.in_flight(cancel_all(leader))
    leader.store.commits.let_go()
    await sent
    facts = leader.store.reader.read(0, 10_000).facts
    middle = Exchange()
    accepted = [type(each.event) for each in facts].index(CancelAllAccepted)
    # After the acceptance and the first slice.
    middle.replay(facts[: accepted + 7])

    loaded = frozen.load(frozen.dump(middle))
    left = slices.slices_of_cancel_all(loaded, loaded.wallet("alice"), lambda: AT)

    assert loaded.wallet("alice").cancel_all == middle.wallet("alice").cancel_all
    due = [name for each in left if each is not None for name in each.order_ids]
    assert sorted(due) == sorted(open_ones(middle))
    assert len(due) == ORDERS - 3


async def test_a_snapshot_of_the_log_restores_an_account_during_a_cancel_all(
    leader: Server,
):
    assert isinstance(leader.store, LosingStore)
    leader.store.left = 2
    await outcome(leader.send(cancel_all(leader)))
    snapshots = MemorySnapshotStore()

    take_snapshot(leader.store.reader, snapshots)

    recovered = recover(leader.store.reader, snapshots)
    replayed = recover(leader.store.reader)
    assert list(frozen.dump(recovered)) == list(frozen.dump(replayed))


async def test_a_slice_that_meets_a_full_queue_is_decided_later(
    leader: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(slice_runner, "BUSY_SECONDS", 0)
    head = leader.store.reader.head()
    sent = await leader.in_flight(cancel_all(leader))
    leader.writer.queue_limit = 0
    leader.store.commits.let_go()
    # The acceptance and the first slice, which was decided before the queue was full.
    await asyncio.to_thread(leader.store.reader.wait, head + 6, PATIENCE)
    for _ in range(20):
        await asyncio.sleep(0)

    leader.writer.queue_limit = 100

    assert canceled(await sent) == sorted(NAMES)


async def test_a_stopping_writer_leaves_the_rest_to_the_next_leader(leader: Server):
    sent = await leader.in_flight(cancel_all(leader))

    await leader.stop()

    with pytest.raises(NotLeading):
        await sent
    assert kinds(leader).count(CancelAllCompleted) == 0


async def test_a_slice_with_a_defect_is_not_tried_again_and_others_are_served(
    leader: Server, monkeypatch: pytest.MonkeyPatch
):
    failures: list[object] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: failures.append(context["exception"]))

    def fail(_: Exchange, __: Command) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setitem(HANDLERS, ContinueCancelAll, fail)
    with pytest.raises(NotLeading):
        await leader.writer.execute(cancel_all(leader, "key"))
    await leader.becomes(WriterState.LEADER)

    await leader.writer.execute(order(leader, 70))
    with pytest.raises(CancelAllInProgress):
        await leader.writer.execute(cancel_all(leader))
    with pytest.raises(LogUnavailable):
        await leader.writer.execute(cancel_all(leader, "key"))

    assert [type(each) for each in failures] == [ZeroDivisionError]
    assert leader.states[-1] is WriterState.LEADER


@pytest.mark.rule("ORDER-16")
async def test_closing_all_positions_waits_for_the_cancels_that_it_asks_for(
    leader: Server,
):
    bid = ticket(
        order_id="bid",
        client_order_id="bid",
        account_id="bob",
        quantity=100,
        limit_price=20_000,
    )
    await leader.writer.execute(PlaceOrder(leader.meta(), bid))

    close = CloseAllPositions(leader.meta(), "alice", cancel_orders=True)
    answer = await leader.writer.execute(close)

    ((symbol, closed),) = answer.parts
    assert symbol == "ACME"
    assert isinstance(closed, Answer)
    # Without the cancels, five of the shares would still be reserved.
    (trade,) = (f.event for f in closed.facts if isinstance(f.event, TradeExecuted))
    assert trade.quantity == 100
    assert open_ones(leader.writer.exchange) == []


def test_a_slice_skips_an_order_that_ended_since_it_was_chosen():
    venue = Venue()
    gone, kept = (venue.buy("alice", 1, at="9.00") for _ in range(2))
    wallet = venue.wallet("alice")
    wallet.accept_cancel_all((), meta=venue.meta())
    venue.exchange.outbox.clear()
    venue.cancel(gone)

    ids = (gone.order_id, kept.order_id, "forgotten")
    venue.tell(ContinueCancelAll(venue.meta(), "alice", ids, last=True))

    assert venue.status(kept) is OrderStatus.CANCELED
    assert wallet.cancel_all is None
