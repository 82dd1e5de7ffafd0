"""docs/rules/commands.md: what would break an invariant is never committed."""

from collections.abc import Callable

import pytest

from commands.messages import Command, Deposit, GrantShares, PlaceOrder, Register
from commands.state.exchange import Exchange
from commands.state.frozen import dump
from commands.writer.leadership import WriterState
from domain.accounts.wallet import Wallet
from domain.accounts.wallet_state import Holding
from domain.market.matching import Plan
from domain.market.order_book import OrderBook
from domain.money import Money, Price, Quantity
from domain.vocabulary import SelfTradePrevention, Side
from tests.support.tickets import ticket
from tests.support.writers import Server

DOLLAR = 10_000


class Spendthrift(Wallet):
    """A wallet with a defect: it finds that everything is covered."""

    def check_funds(self, amount: Money, *, freed: Money = 0) -> None:
        super().check_funds(amount, freed=freed + amount)

    def check_shares(
        self, symbol: str, quantity: Quantity, *, freed: Quantity = 0
    ) -> Holding:
        return super().check_shares(symbol, quantity, freed=freed + quantity)


class Skipping(OrderBook):
    """A book with a defect: an incoming order passes over the best maker."""

    def plan(
        self,
        side: Side,
        *,
        quantity: Quantity,
        worst: Price | None,
        account_id: str,
        prevention: SelfTradePrevention,
        whole: bool = False,
    ) -> Plan:
        plan = super().plan(
            side,
            quantity=quantity,
            worst=worst,
            account_id=account_id,
            prevention=prevention,
            whole=whole,
        )
        return Plan(plan.steps[1:], plan.remaining + plan.steps[0][1], plan.ends)


def spendthrift(exchange: Exchange) -> None:
    wallet = Spendthrift("alice", exchange.outbox)
    wallet.thaw(exchange.wallet("alice").freeze())
    exchange.streams[wallet.stream] = exchange.wallets["alice"] = wallet


def skipping(exchange: Exchange) -> None:
    book = Skipping("ACME")
    for order in exchange.market("ACME").book.resting(Side.SELL):
        book.enter(order, order.leaves)
    exchange.market("ACME").book = book


def miscounting(exchange: Exchange) -> None:
    """The best level shows a share more than its orders have."""
    asks = exchange.market("ACME").book.asks
    asks.levels[asks.keys[-1]].quantity += Quantity(1)


class Trader:
    """Numbers the orders that it sends for an account."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._number = 0

    def order(
        self, account: str, side: Side, quantity: int, *, dollars: int
    ) -> Command:
        self._number += 1
        name = f"{account}-{self._number}"
        terms = ticket(
            order_id=name,
            client_order_id=name,
            account_id=account,
            side=side,
            quantity=quantity,
            limit_price=dollars * DOLLAR,
        )
        return PlaceOrder(self._server.meta(), terms)


async def opened(server: Server) -> Trader:
    """Alice has 10,000 dollars and 10 shares; bob asks 1 and 2 dollars a share."""
    trader = Trader(server)
    for command in (
        GrantShares(server.meta(), "alice", "ACME", 10, DOLLAR, "opening"),
        Register(server.meta(), "user-2", "bob", "claim-2", "e", "n", "h"),
        Deposit(server.meta(), "bob", DOLLAR, "opening"),
        GrantShares(server.meta(), "bob", "ACME", 10, DOLLAR, "opening"),
        trader.order("bob", Side.SELL, 1, dollars=1),
        trader.order("bob", Side.SELL, 1, dollars=2),
    ):
        await server.writer.execute(command)
    return trader


@pytest.mark.rule("COMMAND-01")
@pytest.mark.rule("WALLET-06")
@pytest.mark.rule("MATCH-12")
@pytest.mark.parametrize(
    ("defect", "side", "quantity", "dollars"),
    [
        pytest.param(spendthrift, Side.BUY, 1, 10_001, id="more is held than there is"),
        pytest.param(spendthrift, Side.SELL, 11, 9, id="more is reserved than owned"),
        pytest.param(skipping, Side.BUY, 2, 2, id="the book is crossed"),
        pytest.param(miscounting, Side.BUY, 1, 1, id="a level miscounts its shares"),
    ],
)
async def test_a_decision_that_breaks_an_invariant_is_not_committed(
    server: Server,
    defect: Callable[[Exchange], None],
    side: Side,
    quantity: int,
    dollars: int,
):
    trader = await opened(server)
    before, head = list(dump(server.writer.exchange)), server.store.reader.head()
    defect(server.writer.exchange)

    with pytest.raises(AssertionError):
        await server.writer.execute(
            trader.order("alice", side, quantity, dollars=dollars)
        )
    await server.becomes(WriterState.LEADER)

    assert server.store.reader.head() == head
    # Memory was given up, the defect with it; the log has it all.
    assert list(dump(server.writer.exchange)) == before
    await server.writer.execute(trader.order("alice", Side.BUY, 1, dollars=2))
    assert server.store.reader.head() > head
