"""Compares the product and the reference market under the same operations."""

from commands.state.exchange import Exchange
from domain.events.register import Fact, Recorded
from tests.support import ladder
from tests.support.operations import TRADERS, Actions, Operation
from tests.support.scenario import (
    HOUSE,
    Action,
    Balances,
    Outcome,
    TradedMarket,
    TurnedAway,
)
from tests.support.scenario_product import Product
from tests.support.scenario_reference import Reference

#: Everybody starts with a little, so that money and shares run out.
FUNDS = Balances(cash=6_000_000, shares=60, cost=60 * 99_999)


def fund(market: TradedMarket) -> None:
    for name in TRADERS:
        market.open(name, FUNDS)


class Real:
    """The product with four traders, without a check of the state at each refusal."""

    def __init__(self) -> None:
        self.product = Product(checks_refusals=False)
        self.actions = Actions()
        self.refused = False
        fund(self.product)

    @property
    def exchange(self) -> Exchange:
        return self.product.venue.exchange

    @property
    def log(self) -> list[Recorded]:
        return self.product.venue.log

    @property
    def facts(self) -> list[Fact]:
        return self.product.venue.facts

    def tell(self, operation: Operation) -> list[Recorded]:
        """Carry out an operation and return what it recorded."""
        before = len(self.log)
        self.carry_out(self.actions.action(operation))
        return self.log[before:]

    def carry_out(self, action: Action) -> list[Outcome]:
        outcomes = self.product.carry_out(action)
        self.refused = any(
            isinstance(each, TurnedAway) and each.how == "refused" for each in outcomes
        )
        if not self.refused:
            self.actions.accepted(action)
        return outcomes


class Both:
    """Both markets, compared after each operation in all that is visible."""

    def __init__(self) -> None:
        self.real = Real()
        self.reference = Reference()
        fund(self.reference)

    def tell(self, operation: Operation) -> None:
        action = self.real.actions.action(operation)

        happened = self.real.carry_out(action)

        assert happened == self.reference.carry_out(action), operation
        self._compare()

    def _compare(self) -> None:
        product, reference = self.real.product, self.reference
        assert ladder.draw(product.ladder()) == ladder.draw(reference.ladder())
        for name in (*TRADERS, HOUSE):
            assert product.balances(name) == reference.balances(name), name

    def compare_orders(self) -> None:
        """Assert that every order so far is in the same state."""
        product, reference = self.real.product, self.reference
        for owner, order_id in self.real.actions.orders:
            status = product.status(owner, order_id)
            assert status == reference.status(owner, order_id), order_id
