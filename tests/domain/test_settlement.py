"""docs/rules/wallet.md: what always holds of costs and fees.

tests/scenarios/ show the examples.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.opening import listing
from domain.accounts.settlement import cost_given_up
from domain.events.wallet import FeeCollected
from domain.ids import HOUSE_ACCOUNT
from domain.money import NO_MONEY, NO_SHARES, Money, Price, Quantity, dollars, fee
from domain.vocabulary import WalletKind
from tests.support.venue import Venue


@pytest.mark.rule("SETTLE-03")
@given(
    sales=st.lists(st.integers(1, 50), min_size=1, max_size=20),
    cost=st.integers(0, 10**9),
)
def test_the_sales_of_a_position_give_up_all_of_its_cost(sales: list[int], cost: int):
    held, left = sum(sales), cost
    for sold in sales:
        given_up = cost_given_up(
            cost=Money(left), held=Quantity(held), sold=Quantity(sold)
        )
        part = int(given_up)
        assert 0 <= part * held <= left * sold < (part + 1) * held
        held, left = held - sold, left - part

    assert (held, left) == (0, 0)


@pytest.mark.rule("FEE-01")
@pytest.mark.parametrize(("taker_fee", "collected"), [(0, []), (10, [dollars(1)])])
def test_the_first_fee_opens_the_house_wallet(taker_fee: int, collected: list[int]):
    venue = Venue(taker_fee=taker_fee)
    venue.sell("alice", 100, at="10.00")

    events = venue.buy("bob", 100, at="10.00").events

    fees = [each.amount for each in events if isinstance(each, FeeCollected)]
    house = venue.exchange.wallets.get(HOUSE_ACCOUNT)
    assert fees == collected
    assert (house and house.kind) == (WalletKind.HOUSE if collected else None)


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
    fills: list[tuple[Price, Quantity]], maker_fee: int, taker_fee: int, taken: int
):
    terms = listing(maker_fee=maker_fee, taker_fee=taker_fee)
    worst = max(price for price, _ in fills)
    shares = sum((quantity for _, quantity in fills), NO_SHARES)
    hold, _ = terms.hold_of_buy(worst, shares)

    # Some of the fills as a taker, then the rest as a maker.
    rates = [taker_fee] * taken + [maker_fee] * len(fills)
    paid = NO_MONEY
    for (price, quantity), rate in zip(fills, rates, strict=False):
        paid += price * quantity + fee(price * quantity, basis_points=rate)

    assert paid <= hold
