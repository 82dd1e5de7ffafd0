"""docs/rules/markets.md: a day with many orders ends in slices."""

import asyncio

import msgspec
import pytest
import pytest_asyncio

from commands.handlers import slices
from commands.handlers.dispatch import HANDLERS
from commands.messages import (
    CancelAllOrders,
    CancelOrder,
    CloseAllPositions,
    Command,
    ContinueCancelAll,
    PlaceOrders,
    ReplaceOrder,
)
from commands.state.exchange import Exchange
from commands.writer import slices as slice_runner
from commands.writer import writer
from commands.writer.leadership import WriterState
from domain.errors import Busy, CancelAllInProgress, MarketRolling, NotLeading
from domain.events.event import Meta
from domain.events.market import (
    DayRollBegan,
    DayRolled,
    OrderAccepted,
    OrderExpired,
)
from domain.market.order import Replacement
from domain.vocabulary import OrderStatus, TimeInForce
from tests.support.sliced import (
    ORDERS,
    LosingStore,
    assert_replayed,
    cancel_all,
    few_in_a_slice,
    kinds,
    open_ones,
    open_with_orders,
    order,
    outcome,
    roll,
    status,
)
from tests.support.spec import AT
from tests.support.troubled_store import Trouble, TroubledStore
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


@pytest.mark.rule("DAY-06")
async def test_a_day_roll_in_slices_expires_every_day_order(leader: Server):
    kept = order(leader, 80, time_in_force=TimeInForce.GTC)
    await leader.writer.execute(kept)

    await leader.writer.execute(roll(leader))

    market = leader.writer.exchange.market("ACME")
    assert (market.session_date, market.roll) == ("2026-01-02", None)
    assert open_ones(leader.writer.exchange) == ["order-80"]
    assert kinds(leader).count(OrderExpired) == ORDERS
    assert kinds(leader)[-1] is DayRolled
    assert_replayed(leader)


@pytest.mark.rule("DAY-06")
async def test_a_rolling_market_takes_no_order_and_no_replacement(leader: Server):
    rolling = await leader.in_flight(roll(leader))
    new = Replacement("new", "new", 2)
    refused = [
        leader.send(order(leader, 90)),
        leader.send(ReplaceOrder(leader.meta(), "alice", "order-9", new)),
    ]
    again = leader.send(roll(leader))
    await asyncio.sleep(0)
    leader.store.commits.let_go()

    await rolling
    await again

    for each in refused:
        with pytest.raises(MarketRolling):
            await each
    await leader.writer.execute(order(leader, 90))
    assert kinds(leader).count(DayRollBegan) == 1
    assert kinds(leader).count(DayRolled) == 1


@pytest.mark.rule("DAY-06")
async def test_an_owner_cancels_in_a_rolling_market(leader: Server):
    rolling = await leader.in_flight(roll(leader))
    one = leader.submit(CancelOrder(leader.meta(), "alice", "order-9"))
    everything = leader.send(cancel_all(leader))
    leader.store.commits.let_go()

    await asyncio.gather(rolling, everything)
    await one.answer()

    assert status(leader.writer.exchange, "order-9") is OrderStatus.CANCELED
    assert open_ones(leader.writer.exchange) == []
    assert_replayed(leader)


@pytest.mark.rule("DAY-06")
@pytest.mark.parametrize("fate", [Trouble.LOST, Trouble.ANSWER_LOST])
@pytest.mark.parametrize("slice_lost", range(5))
async def test_a_lost_commit_after_any_slice_of_a_roll_ends_in_the_same_state(
    leader: Server, slice_lost: int, fate: Trouble
):
    assert isinstance(leader.store, LosingStore)
    leader.store.left, leader.store.fate = slice_lost, fate

    await outcome(leader.send(roll(leader)))
    await leader.becomes(WriterState.LEADER)
    # A roll that was never accepted is still due, as for the scheduler.
    await leader.writer.execute(roll(leader))
    while DayRolled not in kinds(leader):
        head = leader.store.reader.head()
        await asyncio.to_thread(leader.store.reader.wait, head, 0.1)
    await leader.writer.streams()

    assert open_ones(leader.writer.exchange) == []
    assert kinds(leader).count(OrderExpired) == ORDERS
    assert kinds(leader).count(DayRolled) == 1
    assert_replayed(leader)


@pytest.mark.rule("DAY-06")
async def test_a_market_without_day_orders_may_be_told_to_roll_in_slices(
    leader: Server,
):
    await leader.writer.execute(cancel_all(leader))

    told = msgspec.structs.replace(roll(leader), in_slices=True)
    await leader.writer.execute(told)

    assert kinds(leader)[-2:] == [DayRollBegan, DayRolled]


@pytest.mark.rule("DAY-02")
async def test_a_roll_of_one_slice_is_one_command(leader: Server):
    await leader.writer.execute(cancel_all(leader))
    for number in range(100, 103):
        await leader.writer.execute(order(leader, number))
    before = leader.store.reader.head()

    await leader.writer.execute(command := roll(leader))

    facts = leader.store.reader.read(before, 100).facts
    assert {each.event.meta for each in facts} == {command.meta}
    assert [type(each.event) for each in facts].count(OrderExpired) == 3


@pytest.mark.rule("DAY-06")
async def test_many_orders_that_stay_are_looked_at_in_slices(leader: Server):
    await leader.writer.execute(cancel_all(leader))
    for number in range(200, 209):
        terms = {"time_in_force": TimeInForce.GTC}
        await leader.writer.execute(order(leader, number, **terms))

    await leader.writer.execute(roll(leader))

    assert kinds(leader)[-2:] == [DayRollBegan, DayRolled]
    assert len(open_ones(leader.writer.exchange)) == 9


# --- batches ---


@pytest.mark.rule("COMMAND-10")
async def test_the_parts_of_a_long_batch_become_durable_in_turns(
    leader: Server, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(writer, "FACTS_OF_TURN", 5)
    orders = tuple((n, order(leader, 300 + n)) for n in range(7))
    before = len(leader.store.appends)

    answer = await leader.writer.execute(PlaceOrders(leader.meta(), orders))

    assert leader.store.appends[before:] == [6, 6, 2]
    assert [name for name, _ in answer.parts] == [str(n) for n in range(7)]
    assert kinds(leader).count(OrderAccepted) == ORDERS + 7


@pytest.mark.rule("COMMAND-07")
async def test_a_command_whose_first_part_is_refused_ends_there(leader: Server):
    meta = Meta(AT, "tester", "close-all", None, "key", "digest")
    earlier = await leader.in_flight(cancel_all(leader))
    leader.writer.queue_limit = 0
    close = leader.send(CloseAllPositions(meta, "alice", cancel_orders=True))
    await asyncio.sleep(0)

    leader.writer.queue_limit = 100
    leader.store.commits.let_go()
    await earlier

    with pytest.raises(Busy):
        await close
    await leader.writer.execute(order(leader, 70))
    # Nothing waits for the cancels of the close-all, or sells the position.
    assert kinds(leader).count(OrderAccepted) == ORDERS + 1


async def test_a_defect_in_the_choice_of_a_slice_stops_no_other_work(
    leader: Server, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> slices.Slices:
        raise ZeroDivisionError("a defect")
        yield None

    asyncio.get_running_loop().set_exception_handler(lambda _, __: None)
    monkeypatch.setattr(slice_runner, "slices_of_cancel_all", fail)

    with pytest.raises(NotLeading):
        await leader.writer.execute(cancel_all(leader))
    await leader.becomes(WriterState.LEADER)
    await leader.writer.execute(roll(leader))

    assert kinds(leader)[-1] is DayRolled
    assert_replayed(leader)


async def test_no_position_is_closed_if_the_cancels_before_are_refused(
    leader: Server, monkeypatch: pytest.MonkeyPatch
):
    def fail(_: Exchange, __: Command) -> None:
        raise ZeroDivisionError("a defect")

    asyncio.get_running_loop().set_exception_handler(lambda _, __: None)
    for number in range(ORDERS):
        terms = {"order_id": f"bob-{number}", "client_order_id": f"bob-{number}"}
        await leader.writer.execute(order(leader, 0, account_id="bob", **terms))
    monkeypatch.setitem(HANDLERS, ContinueCancelAll, fail)
    with pytest.raises(NotLeading):
        await leader.writer.execute(CancelAllOrders(leader.meta(), "bob"))
    await leader.becomes(WriterState.LEADER)
    meta = Meta(AT, "tester", "close-all", None, "key", "digest")

    with pytest.raises(CancelAllInProgress):
        await leader.writer.execute(CloseAllPositions(meta, "bob", cancel_orders=True))

    await leader.writer.execute(order(leader, 70))
    assert kinds(leader).count(OrderAccepted) == 2 * ORDERS + 1


def test_a_slice_skips_a_day_order_that_ended_since_it_was_chosen():
    venue = Venue()
    gone = venue.buy("alice", 1, at="9.00", tif="day")
    kept = [venue.buy("alice", 1, at="9.00", tif="day") for _ in range(4)]
    venue.roll("2026-01-02")
    left = list(slices.slices_of_day_roll(venue.market, lambda: AT))
    venue.cancel(gone)

    for command in left:
        assert command is not None
        venue.tell(command)

    assert {venue.status(each) for each in kept} == {OrderStatus.EXPIRED}
    assert venue.market.session_date == "2026-01-02"
