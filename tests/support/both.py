"""Compares the product and the reference market under the same operations."""

from commands.state.exchange import Exchange
from domain.events.register import Fact
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


class Player:
    """Carries out operations on one market of the product."""

    def __init__(self, product: Product, mark: str = "") -> None:
        self.product = product
        self.actions = Actions(mark)
        self.refused = False

    @property
    def facts(self) -> list[Fact]:
        return self.product.venue.facts

    def tell(self, operation: Operation) -> list[Fact]:
        """Carry out an operation and return what it recorded."""
        before = len(self.facts)
        self.carry_out(self.actions.action(operation))
        return self.facts[before:]

    def carry_out(self, action: Action) -> list[Outcome]:
        outcomes = self.product.carry_out(action)
        self.refused = any(
            isinstance(each, TurnedAway) and each.how == "refused" for each in outcomes
        )
        if not self.refused:
            self.actions.accepted(action)
        return outcomes


class Real(Player):
    """The product with four traders. Its state is not checked around each refusal."""

    def __init__(self) -> None:
        super().__init__(Product())
        self.product.venue.checks_refusals = False
        fund(self.product)

    @property
    def exchange(self) -> Exchange:
        return self.product.venue.exchange


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
