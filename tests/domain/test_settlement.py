"""docs/rules/wallet.md: fees, holds and legs of trades between real accounts."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InsufficientFunds, InsufficientShares
from domain.events.market import TradeExecuted
from domain.events.register import AnyEvent
from domain.events.wallet import (
    FeeCollected,
    FundsReleased,
    SharesReleased,
    TradeSettled,
)
from domain.ids import HOUSE_ACCOUNT
from domain.money import dollars, fee
from domain.settlement import cash_moved, cost_given_up
from domain.vocabulary import Side, WalletKind
from tests.support.venue import Venue, listing


def legs(events: list[AnyEvent]) -> list[TradeSettled]:
    return [each for each in events if isinstance(each, TradeSettled)]


def trades(events: list[AnyEvent]) -> list[TradeExecuted]:
    return [each for each in events if isinstance(each, TradeExecuted)]


def fees_collected(events: list[AnyEvent]) -> list[int]:
    return [each.amount for each in events if isinstance(each, FeeCollected)]


@pytest.mark.rule("SETTLE-01")
@pytest.mark.rule("FEE-01")
def test_the_legs_of_a_trade_sum_to_zero():
    venue = Venue(maker_fee=3, taker_fee=7)
    venue.sell("alice", 101, at="10.01")

    order = venue.buy("bob", 101, at="10.01")

    cash = sum(cash_moved(each) for each in legs(order.events))
    assert cash + sum(fees_collected(order.events)) == 0
    shares = sorted((each.side, each.quantity) for each in legs(order.events))
    assert shares == [(Side.BUY, 101), (Side.SELL, 101)]


@pytest.mark.rule("SETTLE-02")
def test_cash_and_shares_change_hands_at_once():
    venue = Venue()
    alice = venue.trader("alice", shares=100)
    bob = venue.trader("bob", cash="1001")
    venue.sell("alice", 100, at="10.01")

    venue.buy("bob", 100, at="10.01")

    assert (alice.ledger, alice.holdings) == (dollars(1_001), {})
    assert (bob.ledger, bob.holdings["ACME"].quantity) == (0, 100)


@pytest.mark.rule("SETTLE-05")
def test_a_better_price_than_the_limit_leaves_the_rest_of_the_hold_available():
    venue = Venue()
    bob = venue.trader("bob", cash="2000")
    venue.sell("alice", 50, at="10.00")

    venue.buy("bob", 100, at="20.00")

    assert (bob.ledger, bob.held) == (dollars(1_500), dollars(1_000))
    assert bob.available == dollars(500)


@pytest.mark.rule("SETTLE-03")
@given(
    sales=st.lists(st.integers(1, 50), min_size=1, max_size=20),
    cost=st.integers(0, 10**9),
)
def test_the_sales_of_a_position_give_up_all_of_its_cost(sales: list[int], cost: int):
    held, left = sum(sales), cost
    for sold in sales:
        part = cost_given_up(cost=left, held=held, sold=sold)
        assert 0 <= part * held <= left * sold < (part + 1) * held
        held, left = held - sold, left - part

    assert (held, left) == (0, 0)


@pytest.mark.rule("FEE-01")
def test_the_first_fee_opens_the_house_wallet():
    venue = Venue(maker_fee=10, taker_fee=20)
    for name in ("alice", "carol"):
        venue.sell(name, 100, at="10.00")

    order = venue.buy("bob", 200, at="10.00")

    house = venue.wallet(HOUSE_ACCOUNT)
    assert fees_collected(order.events) == [dollars(3), dollars(3)]
    assert (house.ledger, house.kind) == (dollars(6), WalletKind.HOUSE)


@pytest.mark.rule("FEE-01")
def test_where_nobody_pays_a_fee_there_is_no_fact_of_one():
    venue = Venue()
    venue.sell("alice", 100, at="10.00")

    order = venue.buy("bob", 100, at="10.00")

    assert fees_collected(order.events) == []
    assert HOUSE_ACCOUNT not in venue.exchange.wallets


@pytest.mark.rule("FEE-02")
@pytest.mark.parametrize(
    ("quantity", "expected"), [(1, 0), (3, 2), (5, 2), (7, 4), (2, 1)]
)
def test_a_fee_is_rounded_half_even_on_each_fill(quantity: int, expected: int):
    # One basis point of a price of 0.50 is half of 1/10,000 of a dollar.
    venue = Venue(taker_fee=1)
    venue.sell("alice", quantity, at="0.50")

    (fill,) = trades(venue.buy("bob", quantity, at="0.50").events)

    assert fill.taker_fee == expected


@pytest.mark.rule("FEE-02")
def test_the_fills_of_an_order_are_rounded_one_by_one():
    venue = Venue(taker_fee=1)
    for _ in range(4):
        venue.sell("alice", 1, at="0.50")

    fills = trades(venue.buy("bob", 4, at="0.50").events)

    assert [each.taker_fee for each in fills] == [0, 0, 0, 0]


@pytest.mark.rule("FEE-03")
@given(
    fills=st.lists(
        st.tuples(st.integers(1, 10**6), st.integers(1, 10**4)), min_size=1, max_size=20
    ),
    maker_fee=st.integers(0, 10_000),
    taker_fee=st.integers(0, 10_000),
    taken=st.integers(0, 20),
)
def test_a_hold_covers_the_fees_however_an_order_is_cut(
    fills: list[tuple[int, int]], maker_fee: int, taker_fee: int, taken: int
):
    terms = listing(maker_fee=maker_fee, taker_fee=taker_fee)
    worst = max(price for price, _ in fills)
    hold = terms.hold_per_share(worst) * sum(quantity for _, quantity in fills)

    # Some of the fills as a taker, then the rest as a maker.
    rates = [taker_fee] * taken + [maker_fee] * len(fills)
    paid = sum(
        price * quantity + fee(price * quantity, basis_points=rate)
        for (price, quantity), rate in zip(fills, rates, strict=False)
    )

    assert paid <= hold


@pytest.mark.rule("FEE-03")
@pytest.mark.rule("WALLET-03")
def test_a_buy_needs_the_money_for_the_highest_fee():
    venue = Venue(maker_fee=10, taker_fee=20)
    venue.trader("bob", cash="1002")

    with venue.refuses(InsufficientFunds, buying_power="1002", cost_basis="1012.02"):
        venue.buy("bob", 101, at="10.00")
    venue.buy("bob", 100, at="10.00")
    assert venue.wallet("bob").available == 0


@pytest.mark.rule("FEE-04")
def test_a_maker_pays_the_fee_in_force_when_its_order_was_accepted():
    venue = Venue(maker_fee=10, taker_fee=20)
    venue.sell("alice", 100, at="10.00")
    venue.change(maker_fee=100, taker_fee=200)

    (fill,) = trades(venue.buy("bob", 100, at="10.00").events)

    assert (fill.maker_fee, fill.taker_fee) == (dollars(1), dollars(20))


@pytest.mark.rule("FEE-04")
@pytest.mark.parametrize("quantity", [50, 200])
def test_a_replacement_pays_the_fee_in_force_when_it_was_made(quantity: int):
    venue = Venue(maker_fee=10)
    order = venue.buy("alice", 100, at="10.00")
    venue.change(maker_fee=100)

    venue.replace(order, quantity=quantity)

    (fill,) = trades(venue.sell("bob", quantity, at="10.00").events)
    assert fill.maker_fee == quantity * dollars("0.10")
    assert venue.wallet("alice").holds == {}


@pytest.mark.rule("WALLET-04")
def test_a_sell_needs_the_shares():
    venue = Venue()
    venue.trader("alice", shares=100)
    venue.sell("alice", 60, at="10.00")

    with venue.refuses(InsufficientShares, available="40", existing_qty="100"):
        venue.sell("alice", 41, at="10.00")
    venue.sell("alice", 40, at="10.00")


@pytest.mark.rule("WALLET-05")
@pytest.mark.parametrize("tif", ["gtc", "day"])
def test_what_backed_an_order_is_released_with_its_end(tif: str):
    venue = Venue()
    bought = venue.buy("alice", 100, at="9.00", tif=tif)
    sold = venue.sell("alice", 100, at="11.00", tif=tif)

    if tif == "day":
        events = venue.roll("2026-01-02")
    else:
        events = venue.cancel(bought) + venue.cancel(sold)

    kinds = [type(each) for each in events]
    assert FundsReleased in kinds
    assert SharesReleased in kinds
    alice = venue.wallet("alice")
    assert (alice.held, alice.holdings["ACME"].reserved) == (0, 0)


@pytest.mark.rule("WALLET-09")
def test_what_backed_a_replaced_order_counts_for_the_replacement():
    venue = Venue()
    alice = venue.trader("alice", cash="1000", shares=100)
    bid = venue.buy("alice", 100, at="10.00")
    ask = venue.sell("alice", 100, at="11.00")

    bid = venue.replace(bid, quantity=200, at="5.00")
    ask = venue.replace(ask, at="12.00")

    assert (alice.available, alice.holds) == (0, {bid.order_id: (10_000_000, 50_000)})
    assert alice.reserves == {ask.order_id: ("ACME", 100)}


@pytest.mark.rule("WALLET-09")
def test_a_replacement_that_is_not_covered_is_refused_and_the_order_stays():
    venue = Venue()
    venue.trader("alice", cash="1000", shares=100)
    bid = venue.buy("alice", 100, at="10.00")
    ask = venue.sell("alice", 100, at="11.00")

    with venue.refuses(InsufficientFunds, buying_power="1000", cost_basis="1001"):
        venue.replace(bid, at="10.01")
    with venue.refuses(InsufficientShares, available="100", held_for_orders="0"):
        venue.replace(ask, quantity=101)
    venue.shows("""
        bid   price   ask
              11.00   100
        100   10.00
    """)
