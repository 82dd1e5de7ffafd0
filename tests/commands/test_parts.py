"""docs/rules/commands.md: a command with several parts, each accepted or refused."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from benchmarks.opening import list_instrument, listing
from commands.answers import Answer, Outcome
from commands.keys import content_digest, part_meta
from commands.messages import (
    CancelOrder,
    CloseAllPositions,
    Deposit,
    GrantShares,
    PlaceOrder,
    PlaceOrders,
    Register,
)
from domain.errors import (
    Busy,
    CommitFailed,
    Conflict,
    InsufficientFunds,
    InsufficientShares,
    NotFound,
    NotLeading,
)
from domain.events.event import Meta
from domain.events.keys import KeyUsed
from domain.events.market import OrderAccepted, OrderCanceled, TradeExecuted
from domain.events.register import Fact
from domain.ids import Symbol
from domain.money import Quantity
from domain.vocabulary import Side
from tests.support.spec import AT
from tests.support.tickets import ticket
from tests.support.troubled_store import Trouble
from tests.support.writers import Server

DOLLAR = 10_000
#: More than an account of the tests can pay for a share.
TOO_MUCH = 100_000 * DOLLAR


@pytest_asyncio.fixture
async def leader(server: Server) -> AsyncIterator[Server]:
    """A leader with ACME and OTHER; alice has 10 and 20 shares, bob has cash."""
    for command in (
        list_instrument(server.meta, listing("OTHER")),
        GrantShares(server.meta(), "alice", "ACME", 10, DOLLAR, "opening"),
        GrantShares(server.meta(), "alice", "OTHER", 20, DOLLAR, "more"),
        Register(server.meta(), "user-2", "bob", "claim-2", "e", "n", "h"),
        Deposit(server.meta(), "bob", 1_000 * DOLLAR, "opening"),
    ):
        await server.writer.execute(command)
    yield server


def meta(key: str | None = None, content: str = "content", *, at: int = AT) -> Meta:
    """Return the meta of a whole request at a time."""
    digest = None if key is None else content_digest(content)
    return Meta(at, "tester", f"whole at {at}", key=key, digest=digest)


def batch(whole: Meta, prices: Sequence[int]) -> PlaceOrders:
    """Return a batch of orders for alice, each to buy a share at a price."""
    orders: list[tuple[int, PlaceOrder]] = []
    for number, price in enumerate(prices):
        name = f"{whole.command_id}-{number}"
        own = part_meta(whole, number, after=number, digest=whole.digest)
        terms = ticket(
            order_id=name, client_order_id=name, quantity=1, limit_price=price
        )
        orders.append((number, PlaceOrder(own, terms)))
    return PlaceOrders(whole, tuple(orders))


async def places(server: Server, account: str, side: Side, quantity: int) -> None:
    """Place an order for ACME at 10 dollars, which the account calls `resting`."""
    terms = ticket(
        order_id=f"{account}'s",
        client_order_id="resting",
        account_id=account,
        side=side,
        quantity=quantity,
        limit_price=10 * DOLLAR,
    )
    await server.writer.execute(PlaceOrder(server.meta(), terms))


def kinds(answer: Answer) -> list[tuple[str, type[Outcome]]]:
    return [(name, type(outcome)) for name, outcome in answer.parts]


def answers(answer: Answer) -> list[Answer]:
    """Return the answers of the parts, all of which are accepted."""
    accepted = [each for _, each in answer.parts if isinstance(each, Answer)]
    assert len(accepted) == len(answer.parts)
    return accepted


def order_of(answer: Answer) -> OrderAccepted:
    events = [each.event for each in answer.facts]
    (order,) = (each for each in events if isinstance(each, OrderAccepted))
    return order


def facts_after(server: Server, position: int) -> list[Fact]:
    return list(server.store.reader.read(position, 100).facts)


def shares(server: Server) -> dict[Symbol, Quantity]:
    """Return what is left of alice's positions."""
    holdings = server.writer.exchange.wallet("alice").holdings
    return {symbol: each.quantity for symbol, each in holdings.items()}


# --- a batch of orders ---


@pytest.mark.rule("COMMAND-01")
async def test_a_refused_order_does_not_fail_its_batch(leader: Server):
    head = leader.store.reader.head()

    answer = await leader.writer.execute(batch(meta(), [DOLLAR, TOO_MUCH, DOLLAR]))

    assert kinds(answer) == [("0", Answer), ("1", InsufficientFunds), ("2", Answer)]
    assert (answer.position, answer.repeated) == (leader.store.reader.head(), False)
    recorded = [each.event for each in facts_after(leader, head)]
    orders = [each.order_id for each in recorded if isinstance(each, OrderAccepted)]
    assert orders == [f"whole at {AT}-0", f"whole at {AT}-2"]


@pytest.mark.rule("COMMAND-01")
async def test_a_batch_of_refused_orders_records_nothing(leader: Server):
    head = leader.store.reader.head()

    answer = await leader.writer.execute(batch(meta(), [TOO_MUCH, TOO_MUCH]))

    assert kinds(answer) == [("0", InsufficientFunds), ("1", InsufficientFunds)]
    assert (answer.position, answer.repeated) == (0, False)
    assert leader.store.reader.head() == head


async def test_the_parts_of_a_batch_are_named_by_their_numbers(leader: Server):
    whole = batch(meta(), [DOLLAR] * 5)

    answer = await leader.writer.execute(
        PlaceOrders(whole.meta, (whole.orders[1], whole.orders[4]))
    )

    assert kinds(answer) == [("1", Answer), ("4", Answer)]


@pytest.mark.rule("COMMAND-02")
async def test_a_batch_records_its_key_first_and_then_a_key_and_time_per_order(
    leader: Server,
):
    head = leader.store.reader.head()

    await leader.writer.execute(batch(meta("key"), [DOLLAR, TOO_MUCH, DOLLAR]))

    used, *others = (each.event for each in facts_after(leader, head))
    assert isinstance(used, KeyUsed)
    assert (used.meta.key, used.meta.at) == ("key", AT)
    marks = [(each.meta.key, each.meta.at) for each in others]
    assert marks == [("key 0", AT)] * 2 + [("key 2", AT + 2)] * 2


@pytest.mark.rule("COMMAND-02")
async def test_a_repeated_batch_places_only_the_refused_orders(
    leader: Server,
):
    prices = [DOLLAR, 15_000 * DOLLAR, DOLLAR]
    first = await leader.writer.execute(batch(meta("key"), prices))
    await leader.writer.execute(
        Deposit(leader.meta(), "alice", 10_000 * DOLLAR, "wire 7")
    )

    again = await leader.writer.execute(batch(meta("key", at=AT + 100), prices))
    third = await leader.writer.execute(batch(meta("key", at=AT + 200), prices))

    assert kinds(first) == [("0", Answer), ("1", InsufficientFunds), ("2", Answer)]
    assert [each.repeated for each in answers(again)] == [True, False, True]
    assert [each.repeated for each in answers(third)] == [True, True, True]
    assert [each.repeated for each in (first, again, third)] == [False, False, True]
    made = [order_of(each).order_id for each in answers(again)]
    assert made == [f"whole at {AT}-0", f"whole at {AT + 100}-1", f"whole at {AT}-2"]
    assert made == [order_of(each).order_id for each in answers(third)]


@pytest.mark.rule("COMMAND-02")
async def test_a_batch_with_other_content_under_the_key_places_nothing(leader: Server):
    await leader.writer.execute(batch(meta("key"), [DOLLAR]))
    head = leader.store.reader.head()

    with pytest.raises(Conflict):
        await leader.writer.execute(
            batch(meta("key", "other", at=AT + 100), [DOLLAR, DOLLAR])
        )

    assert leader.store.reader.head() == head


@pytest.mark.rule("COMMAND-07")
async def test_a_keyed_batch_is_refused_whole_if_its_key_finds_no_room(leader: Server):
    flying = await leader.in_flight(leader.order(0))
    waiting = [leader.submit(leader.order(number)) for number in range(1, 100)]

    with pytest.raises(Busy):
        await leader.writer.execute(batch(meta("key"), [DOLLAR]))

    leader.store.commits.let_go()
    await asyncio.gather(flying, *(each.answer() for each in waiting))
    answer = await leader.writer.execute(batch(meta("key"), [DOLLAR]))
    assert (kinds(answer), answer.repeated) == ([("0", Answer)], False)


@pytest.mark.rule("COMMAND-06")
async def test_a_standby_takes_no_batch(standby: Server):
    with pytest.raises(NotLeading):
        await standby.writer.execute(batch(meta(), [DOLLAR]))


@pytest.mark.rule("COMMAND-02")
async def test_a_keyed_batch_without_an_accepted_order_is_new_once(leader: Server):
    head = leader.store.reader.head()

    first = await leader.writer.execute(batch(meta("key"), [TOO_MUCH]))
    again = await leader.writer.execute(batch(meta("key", at=AT + 100), [TOO_MUCH]))

    assert (first.position, first.repeated) == (head + 1, False)
    assert (again.position, again.repeated) == (head + 1, True)
    assert kinds(again) == kinds(first) == [("0", InsufficientFunds)]


@pytest.mark.rule("COMMAND-03")
async def test_a_conflict_waits_for_the_key_that_it_rests_on(leader: Server):
    flying = await leader.in_flight(batch(meta("key"), [DOLLAR]))
    other = leader.send(batch(meta("key", "other", at=AT + 100), [DOLLAR]))
    await asyncio.sleep(0)

    assert not other.done()
    leader.store.trouble = Trouble.LOST
    leader.store.commits.let_go()

    # The first batch is lost, so the second does not conflict with anything.
    outcomes = await asyncio.gather(flying, other, return_exceptions=True)
    assert [type(each) for each in outcomes] == [CommitFailed, CommitFailed]


# --- closing all positions ---


async def test_closing_all_sells_each_position_under_its_symbol(leader: Server):
    await places(leader, "bob", Side.BUY, 10)

    answer = await leader.writer.execute(CloseAllPositions(meta(), "alice"))

    assert kinds(answer) == [("ACME", Answer), ("OTHER", Answer)]
    assert (answer.position, answer.repeated) == (leader.store.reader.head(), False)
    orders = [order_of(each) for each in answers(answer)]
    assert [(each.side, each.quantity) for each in orders] == [
        (Side.SELL, 10),
        (Side.SELL, 20),
    ]
    # Only ACME has a bid.
    assert shares(leader) == {"OTHER": 20}
    assert [(each.meta.key, each.meta.at) for each in orders] == [
        (None, AT + 1),
        (None, AT + 2),
    ]
    assert len({each.order_id for each in orders}) == 2


@pytest.mark.rule("WALLET-04")
async def test_closing_all_leaves_a_position_that_backs_an_order(leader: Server):
    await places(leader, "alice", Side.SELL, 1)

    answer = await leader.writer.execute(CloseAllPositions(meta(), "alice"))

    assert kinds(answer) == [("ACME", InsufficientShares), ("OTHER", Answer)]
    assert list(leader.writer.exchange.market("ACME").book.orders) == ["alice's"]


@pytest.mark.rule("ORDER-12")
async def test_closing_all_may_cancel_the_orders_before_it_sells(leader: Server):
    await places(leader, "alice", Side.SELL, 1)
    head = leader.store.reader.head()

    answer = await leader.writer.execute(
        CloseAllPositions(meta("key"), "alice", cancel_orders=True)
    )

    assert kinds(answer) == [("ACME", Answer), ("OTHER", Answer)]
    assert [order_of(each).quantity for each in answers(answer)] == [10, 20]
    used, canceled, *_ = (each.event for each in facts_after(leader, head))
    assert isinstance(used, KeyUsed)
    assert (used.meta.key, used.parts) == ("key", ("ACME", "OTHER"))
    assert isinstance(canceled, OrderCanceled)
    assert (canceled.order_id, canceled.meta.key) == ("alice's", "key orders")
    assert canceled.meta.at == AT


@pytest.mark.rule("COMMAND-02")
async def test_a_repeated_close_all_has_its_first_parts_after_they_are_sold(
    leader: Server,
):
    await places(leader, "bob", Side.BUY, 10)
    first = await leader.writer.execute(
        CloseAllPositions(meta("key"), "alice", cancel_orders=True)
    )
    await leader.writer.execute(list_instrument(leader.meta, listing("LATER")))
    await leader.writer.execute(
        GrantShares(leader.meta(), "alice", "LATER", 5, DOLLAR, "later")
    )
    await leader.writer.execute(leader.order(1))
    head = leader.store.reader.head()

    again = await leader.writer.execute(
        CloseAllPositions(meta("key", at=AT + 100), "alice", cancel_orders=True)
    )

    assert kinds(again) == kinds(first) == [("ACME", Answer), ("OTHER", Answer)]
    assert (again.repeated, again.position) == (True, first.position)
    for before, after in zip(answers(first), answers(again), strict=True):
        assert list(after.facts) == list(before.facts)
    events = [each.event for each in answers(again)[0].facts]
    assert any(isinstance(each, TradeExecuted) for each in events)
    # The repeat neither sells what came later, nor cancels a later order.
    assert leader.store.reader.head() == head
    assert shares(leader) == {"OTHER": 20, "LATER": 5}
    assert list(leader.writer.exchange.wallet("alice").holds) == ["order-1"]


@pytest.mark.rule("COMMAND-02")
async def test_a_repeated_close_all_tries_a_refused_position_again(leader: Server):
    await places(leader, "alice", Side.SELL, 1)
    first = await leader.writer.execute(CloseAllPositions(meta("key"), "alice"))
    await leader.writer.execute(CancelOrder(leader.meta(), "alice", "alice's"))

    again = await leader.writer.execute(
        CloseAllPositions(meta("key", at=AT + 100), "alice")
    )

    assert kinds(first) == [("ACME", InsufficientShares), ("OTHER", Answer)]
    assert [each.repeated for each in answers(again)] == [False, True]
    # ACME's order is newer than the first answer for OTHER.
    assert (again.repeated, again.position) == (False, leader.store.reader.head())
    orders = [order_of(each) for each in answers(again)]
    assert [(each.meta.key, each.meta.at) for each in orders] == [
        ("key ACME", AT + 101),
        ("key OTHER", AT + 2),
    ]


@pytest.mark.rule("COMMAND-02")
async def test_a_close_all_with_other_content_under_the_key_sells_nothing(
    leader: Server,
):
    await leader.writer.execute(batch(meta("key"), [DOLLAR]))
    head = leader.store.reader.head()

    with pytest.raises(Conflict):
        await leader.writer.execute(
            CloseAllPositions(meta("key", "close-all"), "alice", cancel_orders=True)
        )

    assert leader.store.reader.head() == head
    assert shares(leader) == {"ACME": 10, "OTHER": 20}


@pytest.mark.rule("COMMAND-02")
async def test_a_keyed_close_all_without_positions_is_new_once(leader: Server):
    nothing = await leader.writer.execute(CloseAllPositions(meta(), "bob"))
    assert (nothing.position, nothing.repeated, list(nothing.parts)) == (0, False, [])
    await places(leader, "bob", Side.BUY, 10)

    close = CloseAllPositions(meta("key"), "bob", cancel_orders=True)
    first = await leader.writer.execute(close)
    again = await leader.writer.execute(
        CloseAllPositions(meta("key", at=AT + 100), "bob", cancel_orders=True)
    )

    assert (first.repeated, list(first.parts)) == (False, [])
    assert (again.repeated, again.position) == (True, first.position)
    assert first.position == leader.store.reader.head()


@pytest.mark.rule("COMMAND-01")
async def test_closing_all_of_an_unknown_account_is_refused(leader: Server):
    head = leader.store.reader.head()

    with pytest.raises(NotFound):
        await leader.writer.execute(CloseAllPositions(meta("key"), "nobody"))

    assert leader.store.reader.head() == head
