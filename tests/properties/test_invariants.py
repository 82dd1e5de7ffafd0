"""What holds at every log position and after every command, whatever is asked."""

import pytest
from hypothesis import given, settings

from commands.state.exchange import Exchange
from domain.events.market import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    TradeExecuted,
)
from domain.events.register import Fact
from domain.ids import wallet_stream
from domain.market.order import TRANSITIONS
from domain.market.order_book import OrderBook
from domain.money import NO_MONEY, Quantity
from domain.vocabulary import OrderStatus, Side
from infra.audit.ledger import LedgerAudit
from infra.audit.verify import Audit
from tests.support.both import Real
from tests.support.facts import log_of
from tests.support.operations import OPERATIONS, TRADERS, Operation, from_seed

BOUNDED = settings(max_examples=80)


def audited(facts: list[Fact]) -> LedgerAudit:
    """Return the audit's own books of a log that it finds sound at every position."""
    audit = Audit(log_of(facts))
    audit.run()
    assert audit.findings.violations == []
    return audit.ledger


@pytest.mark.rule("COMMAND-09")
@pytest.mark.rule("SETTLE-01")
@BOUNDED
@given(OPERATIONS)
def test_cash_and_shares_are_conserved_at_every_position(operations: list[Operation]):
    real = Real()
    for operation in operations:
        real.tell(operation)

    books = audited(real.facts)

    prove_balances(real, books)


@pytest.mark.rule("COMMAND-09")
@pytest.mark.parametrize("seed", range(10, 14))
def test_a_long_flow_conserves_cash_and_shares(seed: int):
    real = Real()
    for operation in from_seed(seed, 1_000):
        real.tell(operation)

    books = audited(real.facts)

    assert books.trades > 50
    prove_balances(real, books)


def prove_balances(real: Real, books: LedgerAudit) -> None:
    """Wallets hold what the audit has added up from the facts."""
    for name in TRADERS:
        wallet, account = real.exchange.wallet(name), books.account(wallet_stream(name))
        assert (wallet.ledger, wallet.held) == (account.ledger, account.held)
        shares = {symbol: each.quantity for symbol, each in wallet.holdings.items()}
        counted = {symbol: each.quantity for symbol, each in account.holdings.items()}
        assert shares == {symbol: n for symbol, n in counted.items() if n}


@pytest.mark.rule("WALLET-06")
@pytest.mark.rule("WALLET-07")
@pytest.mark.rule("MATCH-12")
@BOUNDED
@given(OPERATIONS)
def test_books_and_wallets_agree_after_every_command(operations: list[Operation]):
    real = Real()

    for operation in operations:
        real.tell(operation)
        book = real.exchange.market("ACME").book
        prove_book(book)
        prove_wallets(real.exchange, book)


@pytest.mark.rule("WALLET-07")
@pytest.mark.parametrize("seed", range(20, 24))
def test_books_and_wallets_agree_through_a_long_flow(seed: int):
    real = Real()

    for operation in from_seed(seed, 1_000):
        real.tell(operation)
        book = real.exchange.market("ACME").book
        prove_book(book)
        prove_wallets(real.exchange, book)


def prove_book(book: OrderBook) -> None:
    """Never crossed, and nothing in it that is done."""
    bid, ask = book.bids.best, book.asks.best
    assert bid is None or ask is None or bid < ask
    resting = [order for side in Side for order in book.resting(side)]
    assert {order.order_id for order in resting} == book.orders.keys()
    assert all(0 < order.leaves <= order.quantity for order in resting)


def prove_wallets(exchange: Exchange, book: OrderBook) -> None:
    """What is set aside is what open orders need, and nobody has less than nothing."""
    holds: dict[str, dict[str, Quantity]] = {name: {} for name in TRADERS}
    reserves: dict[str, dict[str, Quantity]] = {name: {} for name in TRADERS}
    for order in book.orders.values():
        sets_aside = holds if order.side is Side.BUY else reserves
        sets_aside[order.account_id][order.order_id] = order.leaves
    for name in TRADERS:
        wallet = exchange.wallet(name)
        needed = {
            order_id: leaves * wallet.holds[order_id].per_share
            for order_id, leaves in holds[name].items()
        }
        assert {each: hold.amount for each, hold in wallet.holds.items()} == needed
        assert wallet.held == sum(needed.values(), NO_MONEY)
        assert {each: n for each, (_, n) in wallet.reserves.items()} == reserves[name]
        assert 0 <= wallet.held <= wallet.ledger
        assert wallet.available >= 0
        for holding in wallet.holdings.values():
            assert 0 <= holding.reserved <= holding.quantity
            assert holding.quantity > 0
            assert holding.cost >= 0


@pytest.mark.rule("ORDER-08")
@pytest.mark.parametrize("seed", range(30, 34))
def test_every_order_goes_through_the_states_of_the_table(seed: int):
    real = Real()
    for operation in from_seed(seed, 1_000):
        real.tell(operation)

    states: dict[str, OrderStatus] = {}
    for fact in real.facts:
        for order_id, status in changes(fact):
            before = states.get(order_id)
            assert before is None or status in TRANSITIONS[before], order_id
            states[order_id] = status

    final = {status for status, after in TRANSITIONS.items() if not after}
    assert final <= set(states.values())


def changes(fact: Fact) -> list[tuple[str, OrderStatus]]:
    """The orders that a fact speaks of, each with the state it is in after it."""
    partly, filled = OrderStatus.PARTIALLY_FILLED, OrderStatus.FILLED
    match fact.event:
        case OrderAccepted(order_id=order_id):
            return [(order_id, OrderStatus.NEW)]
        case OrderRejected(order_id=order_id):
            return [(order_id, OrderStatus.REJECTED)]
        case TradeExecuted() as event:
            return [
                (event.maker_order_id, partly if event.maker_leaves else filled),
                (event.taker_order_id, partly if event.taker_leaves else filled),
            ]
        case OrderCanceled(order_id=order_id):
            return [(order_id, OrderStatus.CANCELED)]
        case OrderExpired(order_id=order_id):
            return [(order_id, OrderStatus.EXPIRED)]
        case OrderReplaced() as event:
            return [
                (event.order_id, OrderStatus.REPLACED),
                (event.replaced_by, partly if event.filled else OrderStatus.NEW),
            ]
        case _:
            return []
