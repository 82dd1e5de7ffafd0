"""docs/rules/wallet.md: cash and shares of one account, given facts, then facts."""

import pytest

from domain.accounts.wallet import Wallet
from domain.accounts.wallet_state import Hold, Holding
from domain.errors import (
    AmountTooLarge,
    InsufficientFunds,
    InsufficientShares,
    InvalidOrder,
)
from domain.events.market import TradeExecuted
from domain.events.register import AnyEvent
from domain.events.wallet import (
    FeeCollected,
    FundsDeposited,
    FundsHeld,
    FundsReleased,
    PreferencesChanged,
    SharesGranted,
    SharesReleased,
    SharesReserved,
    TradeSettled,
    WalletOpened,
)
from domain.money import MONEY_MAX, PRICE_MAX, QUANTITY_MAX, Money, Price, Quantity
from domain.vocabulary import HoldPurpose, SelfTradePrevention, Side, WalletKind
from tests.support.spec import META, Spec


def wallet(*events: AnyEvent) -> Spec[Wallet]:
    """A wallet to which this has happened."""
    return Spec(Wallet("alice", [])).given(*events)


def deposited(amount: int) -> FundsDeposited:
    return FundsDeposited(META, amount, "gift")


def granted(quantity: int, *, price: int = 10) -> SharesGranted:
    return SharesGranted(META, "ACME", quantity, price, "gift")


def trade(quantity: int, *, price: int, fees: int = 0) -> TradeExecuted:
    """A seller's order `ask` met a buyer's order `bid`."""
    return TradeExecuted(
        META,
        trade_id=1,
        price=price,
        quantity=quantity,
        taker_side=Side.BUY,
        maker_order_id="ask",
        maker_account_id="bob",
        maker_leaves=0,
        maker_fee=fees,
        taker_order_id="bid",
        taker_account_id="alice",
        taker_leaves=0,
        taker_fee=fees,
    )


def leg(
    side: Side, quantity: int, *, price: int, fee: int = 0, held: int = 0, cost: int
) -> TradeSettled:
    return TradeSettled(
        META,
        order_id="bid" if side is Side.BUY else "ask",
        trade_id=1,
        symbol="ACME",
        side=side,
        price=price,
        quantity=quantity,
        fee=fee,
        held=held,
        cost=cost,
    )


def test_an_account_begins_with_nothing_in_it():
    opened = wallet().when(
        lambda w: w.open("user", WalletKind.TRADER, meta=META),
    )

    alice = opened.then(WalletOpened(META, "user", WalletKind.TRADER))
    assert (alice.ledger, alice.available, alice.holdings) == (0, 0, {})
    assert (alice.user_id, alice.kind) == ("user", WalletKind.TRADER)


# --- coming in ---


@pytest.mark.rule("WALLET-01")
@pytest.mark.parametrize("amount", [Money(1), MONEY_MAX - Money(100)])
def test_a_deposit_adds_to_the_ledger(amount: Money):
    after = wallet(deposited(100)).when(
        lambda w: w.deposit(amount, "more", meta=META),
    )

    alice = after.then(FundsDeposited(META, amount, "more"))
    assert alice.ledger == Money(100) + amount


@pytest.mark.rule("WALLET-01")
@pytest.mark.parametrize(
    ("amount", "refusal"),
    [(0, InvalidOrder), (-1, InvalidOrder), (MONEY_MAX - Money(99), AmountTooLarge)],
)
def test_a_deposit_of_nothing_or_too_much_is_refused(
    amount: int, refusal: type[InvalidOrder]
):
    after = wallet(deposited(100)).when(
        lambda w: w.deposit(amount, "more", meta=META),
    )

    after.then_refused(refusal)


@pytest.mark.rule("WALLET-02")
@pytest.mark.parametrize("price", [0, 7])
def test_granted_shares_come_in_at_their_cost(price: int):
    after = wallet(granted(5)).when(
        lambda w: w.grant("ACME", quantity=3, price=price, reference="more", meta=META)
    )

    alice = after.then(SharesGranted(META, "ACME", 3, price, "more"))
    assert alice.holdings == {"ACME": Holding(8, 0, 50 + 3 * price)}


@pytest.mark.rule("WALLET-02")
@pytest.mark.parametrize(
    ("quantity", "price", "refusal"),
    [
        (0, 1, InvalidOrder),
        (-1, 1, InvalidOrder),
        (1, -1, InvalidOrder),
        (QUANTITY_MAX - Quantity(4), 1, AmountTooLarge),
        (1, PRICE_MAX + Price(1), AmountTooLarge),
        # The cost basis too: 1,000,000 shares at the highest price are just too much
        # for an account that has some already.
        (1_000_000, PRICE_MAX, AmountTooLarge),
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(
    quantity: int, price: int, refusal: type[InvalidOrder]
):
    after = wallet(granted(5)).when(
        lambda w: w.grant(
            "ACME", quantity=quantity, price=price, reference="more", meta=META
        )
    )

    after.then_refused(refusal)


@pytest.mark.rule("WALLET-02")
def test_a_grant_of_as_much_as_a_wallet_carries_is_taken():
    after = wallet().when(
        lambda w: w.grant(
            "ACME", quantity=1_000_000, price=PRICE_MAX, reference="all", meta=META
        )
    )

    alice = after.then(SharesGranted(META, "ACME", 1_000_000, PRICE_MAX, "all"))
    assert alice.holdings["ACME"].cost == MONEY_MAX


# --- backing an order ---


@pytest.mark.rule("WALLET-03")
def test_a_hold_takes_from_the_available_balance_not_from_the_ledger():
    after = wallet(deposited(100)).when(
        lambda w: w.hold("bid", amount=100, per_share=10, meta=META)
    )

    alice = after.then(FundsHeld(META, "bid", 100, 10))
    assert (alice.ledger, alice.held, alice.available) == (100, 100, 0)


@pytest.mark.rule("WALLET-03")
def test_a_hold_that_the_available_balance_does_not_cover_is_refused():
    after = wallet(deposited(10_000), FundsHeld(META, "other", 4_000, 40)).when(
        lambda w: w.hold("bid", amount=6_001, per_share=1, meta=META)
    )

    after.then_refused(InsufficientFunds, buying_power="0.6", cost_basis="0.6001")


@pytest.mark.rule("WALLET-04")
def test_a_reserve_takes_from_the_available_shares():
    after = wallet(granted(100)).when(
        lambda w: w.reserve("ask", "ACME", 100, meta=META)
    )

    alice = after.then(SharesReserved(META, "ask", "ACME", 100))
    assert alice.holdings["ACME"] == Holding(100, 100, 1_000)


@pytest.mark.rule("WALLET-04")
def test_a_reserve_that_the_available_shares_do_not_cover_is_refused():
    after = wallet(granted(100), SharesReserved(META, "other", "ACME", 40)).when(
        lambda w: w.reserve("ask", "ACME", 61, meta=META)
    )

    after.then_refused(
        InsufficientShares,
        symbol="ACME",
        available="60",
        existing_qty="100",
        held_for_orders="40",
    )


@pytest.mark.rule("WALLET-04")
def test_shares_that_are_not_owned_cannot_be_reserved():
    after = wallet().when(lambda w: w.reserve("ask", "ACME", 1, meta=META))

    after.then_refused(InsufficientShares, existing_qty="0")


@pytest.mark.rule("WALLET-05")
def test_releasing_gives_back_what_is_left_of_a_hold():
    settled = leg(Side.BUY, 4, price=10, held=40, cost=40)
    after = wallet(deposited(100), FundsHeld(META, "bid", 100, 10), settled).when(
        lambda w: w.release("bid", meta=META)
    )

    alice = after.then(FundsReleased(META, "bid", 60))
    assert (alice.ledger, alice.held, alice.holds) == (60, 0, {})


@pytest.mark.rule("WALLET-05")
def test_releasing_gives_back_what_is_left_of_a_reserve():
    settled = leg(Side.SELL, 4, price=10, cost=40)
    after = wallet(granted(10), SharesReserved(META, "ask", "ACME", 10), settled).when(
        lambda w: w.release("ask", meta=META)
    )

    alice = after.then(SharesReleased(META, "ask", "ACME", 6))
    assert (alice.holdings, alice.reserves) == ({"ACME": Holding(6, 0, 60)}, {})


@pytest.mark.rule("WALLET-05")
def test_releasing_an_order_that_nothing_backs_records_nothing():
    wallet(deposited(100)).when(lambda w: w.release("bid", meta=META)).then()


# --- holds that back no order ---


def withdrawing(amount: int) -> FundsHeld:
    return FundsHeld(META, "payout", amount, 0, HoldPurpose.WITHDRAWAL)


@pytest.mark.rule("WALLET-10")
def test_cash_can_be_held_for_another_purpose_than_an_order():
    after = wallet(deposited(100)).when(
        lambda w: w.hold("payout", amount=70, purpose=HoldPurpose.WITHDRAWAL, meta=META)
    )

    alice = after.then(withdrawing(70))
    assert (alice.ledger, alice.held, alice.available) == (100, 70, 30)


@pytest.mark.rule("WALLET-10")
def test_a_hold_of_another_purpose_takes_from_what_an_order_may_use():
    after = wallet(deposited(100), withdrawing(70)).when(
        lambda w: w.hold("bid", amount=40, per_share=10, meta=META)
    )

    after.then_refused(InsufficientFunds, buying_power="0.003", cost_basis="0.004")


@pytest.mark.rule("WALLET-10")
def test_a_hold_is_released_by_its_id_whatever_its_purpose():
    held = (FundsHeld(META, "bid", 20, 10), withdrawing(70))
    after = wallet(deposited(100), *held).when(lambda w: w.release("payout", meta=META))

    alice = after.then(FundsReleased(META, "payout", 70))
    assert (alice.held, list(alice.holds)) == (20, ["bid"])


@pytest.mark.rule("WALLET-10")
def test_only_holds_for_orders_and_reserves_name_open_orders():
    alice = wallet(
        deposited(100),
        granted(5),
        withdrawing(70),
        FundsHeld(META, "bid", 20, 10),
        SharesReserved(META, "ask", "ACME", 5),
    ).subject

    assert alice.backed_orders() == ["bid", "ask"]


# --- settlement ---


@pytest.mark.rule("SETTLE-02")
@pytest.mark.rule("SETTLE-04")
@pytest.mark.rule("SETTLE-05")
def test_a_buyer_pays_price_and_fee_out_of_the_hold():
    fill = trade(4, price=9, fees=2)
    after = wallet(deposited(100), FundsHeld(META, "bid", 80, 10)).when(
        lambda w: w.settle("bid", fill, symbol="ACME", side=Side.BUY, fee=2)
    )

    alice = after.then(leg(Side.BUY, 4, price=9, fee=2, held=40, cost=38))
    assert (alice.ledger, alice.held, alice.available) == (62, 40, 22)
    assert alice.holds == {"bid": Hold(40, 10)}
    assert alice.holdings == {"ACME": Holding(4, 0, 38)}


@pytest.mark.rule("SETTLE-02")
def test_a_fill_of_all_ends_the_hold():
    fill = trade(8, price=10)
    after = wallet(deposited(80), FundsHeld(META, "bid", 80, 10), granted(2)).when(
        lambda w: w.settle("bid", fill, symbol="ACME", side=Side.BUY, fee=0)
    )

    alice = after.then(leg(Side.BUY, 8, price=10, held=80, cost=80))
    assert (alice.ledger, alice.held, alice.holds) == (0, 0, {})
    assert alice.holdings == {"ACME": Holding(10, 0, 100)}


@pytest.mark.rule("SETTLE-02")
@pytest.mark.rule("SETTLE-03")
def test_a_seller_gets_the_price_less_the_fee_and_gives_up_average_cost():
    fill = trade(1, price=9, fees=2)
    after = wallet(
        SharesGranted(META, "ACME", 3, 33, "gift"),
        SharesGranted(META, "ACME", 1, 1, "odd"),
        SharesReserved(META, "ask", "ACME", 4),
    ).when(lambda w: w.settle("ask", fill, symbol="ACME", side=Side.SELL, fee=2))

    bob = after.then(leg(Side.SELL, 1, price=9, fee=2, cost=25))
    assert bob.ledger == 7
    assert bob.reserves == {"ask": ("ACME", 3)}
    assert bob.holdings == {"ACME": Holding(3, 3, 75)}


@pytest.mark.rule("SETTLE-03")
def test_the_last_sale_takes_the_remainder_of_the_cost_basis():
    shares = SharesGranted(META, "ACME", 2, 50, "gift")
    first = leg(Side.SELL, 1, price=60, cost=49)
    fill = trade(1, price=60)
    after = wallet(shares, SharesReserved(META, "ask", "ACME", 2), first).when(
        lambda w: w.settle("ask", fill, symbol="ACME", side=Side.SELL, fee=0)
    )

    bob = after.then(leg(Side.SELL, 1, price=60, cost=51))
    assert (bob.holdings, bob.reserves) == ({}, {})


@pytest.mark.rule("FEE-01")
def test_the_house_collects_the_fees_of_both_sides():
    fill = trade(4, price=9, fees=2)

    after = wallet().when(lambda w: w.collect(fill, "ACME"))

    house = after.then(FeeCollected(META, "ACME", 1, 4))
    assert house.ledger == 4


# --- preferences ---


def test_preferences_are_kept():
    both = SelfTradePrevention.CANCEL_BOTH
    after = wallet().when(lambda w: w.prefer(both, suspended=True, meta=META))

    alice = after.then(PreferencesChanged(META, both, suspend_trade=True))
    assert (alice.self_trade_prevention, alice.suspended) == (both, True)


def test_preferences_that_change_nothing_are_not_recorded():
    newest = SelfTradePrevention.CANCEL_NEWEST

    wallet().when(lambda w: w.prefer(newest, suspended=False, meta=META)).then()
