"""The cash that a trade moves between accounts, and the cost of a position.

The legs of a trade sum to zero (rule SETTLE-01). The seller and the house receive what
the buyer pays, and the buyer receives the shares that the seller gives.
"""

from domain.events.wallet import TradeSettled
from domain.money import Money, Quantity
from domain.vocabulary import SELL


def cash_moved(leg: TradeSettled) -> Money:
    """Return the signed cash of one account's leg, fee included (rule SETTLE-02)."""
    value = leg.price * leg.quantity
    return value - leg.fee if leg.side is SELL else -value - leg.fee


def cost_given_up(*, cost: Money, held: Quantity, sold: Quantity) -> Money:
    """Return the part of a position's cost basis that a sale removes (SETTLE-03).

    It is the average cost, rounded down. The remaining shares carry the remainder, and
    the last sale removes all of it.

    >>> cost_given_up(cost=100, held=3, sold=1)
    33
    >>> cost_given_up(cost=67, held=2, sold=2)
    67
    """
    return cost * sold // held
