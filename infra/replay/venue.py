"""The port of a replay: what the driver asks of the exchange, however it is reached."""

from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeAlias

import msgspec

from domain.ids import OrderId
from domain.money import Price, Quantity
from domain.vocabulary import Side
from infra.replay.orderflow import Levels

Way: TypeAlias = Literal["http", "in-process"]

#: The largest number of orders in one call.
ORDERS_MAX = 500


class LimitOrder(msgspec.Struct, frozen=True, gc=False):
    """An order of the flow.

    The maker's account places the resting orders. The taker's account places the
    aggressive ones, as immediate-or-cancel.
    """

    side: Side
    quantity: Quantity
    limit: Price
    aggressive: bool


class Refused(msgspec.Struct, frozen=True, gc=False):
    """The exchange refused a command, for this reason."""

    reason: str


class Fill(msgspec.Struct, frozen=True, gc=False):
    """A fill of a taker's order. `maker` is None if the venue does not know it."""

    maker: OrderId | None
    size: Quantity
    price: Price


class Venue(Protocol):
    """One market of an exchange, and two accounts that trade in it.

    Commands are carried out in the order of the calls. `finish` waits until they are
    durable.
    """

    way: Way

    def open(self, reference_price: Price) -> None:
        """List the market and fund both accounts."""
        ...

    def place(self, orders: Sequence[LimitOrder]) -> Sequence[OrderId | Refused]:
        """Place up to `ORDERS_MAX` orders of one account, in their order."""
        ...

    def cancel(self, order_id: OrderId) -> Refused | None:
        """Cancel a maker's order."""
        ...

    def replace(self, order_id: OrderId, quantity: Quantity) -> OrderId | Refused:
        """Reduce a maker's order to a total quantity; return its new id."""
        ...

    def top(self, depth: int) -> tuple[Levels, Levels]:
        """Return the best asks and bids of the book as the last command left it."""
        ...

    def finish(self) -> None:
        """Wait until every command is durable."""
        ...

    def not_resting(self) -> Mapping[OrderId, Quantity]:
        """Return the maker's orders that did not come to rest whole.

        Each comes with the quantity that did rest when the venue placed it. Call it
        after `finish`.
        """
        ...

    def fills(self, order_id: OrderId, makers: Sequence[OrderId]) -> Sequence[Fill]:
        """Return the fills of a taker's order, in their order.

        A venue may look for the other side of a fill among `makers` only.
        """
        ...
