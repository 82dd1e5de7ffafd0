"""What a trade moves between accounts, and what a position costs.

The legs of a trade sum to zero (rule SETTLE-01): what the buyer pays is what the seller
and the house receive, and the shares that one gives are the shares that the other gets.
"""

from domain.events.wallet import TradeSettled
from domain.money import Money, Quantity
from domain.vocabulary import SELL


def cash_moved(leg: TradeSettled) -> Money:
    """The signed cash of one account's leg, its fee included (rule SETTLE-02)."""
    value = leg.price * leg.quantity
    return value - leg.fee if leg.side is SELL else -value - leg.fee


def cost_given_up(*, cost: Money, held: Quantity, sold: Quantity) -> Money:
    """The part of a position's cost basis that goes with the shares sold (SETTLE-03).

    Average cost, rounded down; the remainder is carried by the shares that stay, and
    the last sale takes all of it.

    >>> cost_given_up(cost=100, held=3, sold=1)
    33
    >>> cost_given_up(cost=67, held=2, sold=2)
    67
    """
    return cost * sold // held
