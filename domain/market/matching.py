"""Price-time matching: whom an incoming order meets, and what is left of it.

Nothing is changed here. The answer is a plan, which the market records as facts, so
that an order that must fill whole or not at all is known to fit before anything
happens.
"""

import msgspec

from domain.market.order import Order
from domain.market.price_levels import BookSide
from domain.money import Price, Quantity
from domain.vocabulary import SelfTradePrevention


class Plan(msgspec.Struct, frozen=True, gc=False):
    """Makers in the order they are met, and what remains of the incoming order.

    A step with quantity 0 cancels the maker instead of trading with it (rule STP-02).
    `stopped` says that self-trade prevention ended the incoming order.
    """

    steps: list[tuple[Order, Quantity]]
    remaining: Quantity
    stopped: bool


def offered(opposite: BookSide, quantity: Quantity, *, worst: Price | None) -> bool:
    """Whether so many shares rest within reach: a look at the levels, not the orders.

    Those of the account's own are counted too, which are none that it could trade with.
    """
    limit = None if worst is None else opposite.sign * worst
    for key in reversed(opposite.keys):
        if limit is not None and key < limit:
            return False
        quantity -= opposite.levels[key].quantity
        if quantity <= 0:
            return True
    return False


def match(
    opposite: BookSide,
    *,
    quantity: Quantity,
    worst: Price | None,
    account_id: str,
    prevention: SelfTradePrevention,
) -> Plan:
    """Walk the opposite side from its best price, oldest first (rules MATCH-01, -02).

    `worst` is the last price the incoming order accepts, None for any.
    """
    steps: list[tuple[Order, Quantity]] = []
    limit = None if worst is None else opposite.sign * worst
    remaining = quantity
    for key in reversed(opposite.keys):
        # Keys grow toward the best price on either side: less is worse for the taker.
        if limit is not None and key < limit:
            break
        for maker in opposite.levels[key].orders:
            leaves = maker.leaves
            if not leaves:
                continue
            if maker.account_id == account_id:
                if prevention is not SelfTradePrevention.CANCEL_NEWEST:
                    steps.append((maker, 0))
                if prevention is not SelfTradePrevention.CANCEL_OLDEST:
                    return Plan(steps, remaining, stopped=True)
                continue
            if leaves >= remaining:
                steps.append((maker, remaining))
                return Plan(steps, 0, stopped=False)
            steps.append((maker, leaves))
            remaining -= leaves
    return Plan(steps, remaining, stopped=False)
