"""The request body of an order: the fields that Bourse supports, and Alpaca's others.

The struct names Alpaca's other fields too, so that the server refuses them in a
sentence and never drops one silently.
"""

from typing import Annotated

import msgspec

from api.http.json_bodies import BodyReader
from api.http.numbers import Number
from api.http.request_errors import BadParameter, DomainError, NotSupportedYet
from api.wire.amounts import price, quantity
from domain.ids import AccountId, ClientOrderId, OrderId, Symbol
from domain.market.order import Ticket
from domain.vocabulary import OrderType, SelfTradePrevention, Side, TimeInForce

BATCH_MAX = 500
CLIENT_ORDER_ID_MAX = 128

ClientOrderIdText = Annotated[
    ClientOrderId,
    msgspec.Meta(
        min_length=1,
        max_length=CLIENT_ORDER_ID_MAX,
        description="The client's name for the order. It names one order of the "
        "account until that order is over and forgotten: after 7 days, or after "
        "2,000,000 later orders of the venue and 1,000 of the account (an "
        "administrator can change these limits). Then it may name a new order.",
    ),
]


class NoExtendedHours(DomainError):
    """The order asks for hours that the venue does not have."""

    code = "no-extended-hours"

    def __init__(self) -> None:
        super().__init__(
            "extended_hours must be false: the venue trades around the clock in one "
            "session a day, so no hours are outside of it",
            field="extended_hours",
        )


class NewOrder(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An order to place. Numbers may be JSON numbers or strings.

    Alpaca's API has the fields from `extended_hours` on. Bourse accepts only values
    that change nothing.
    """

    symbol: Symbol
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    qty: Number | None = None
    limit_price: Number | None = None
    client_order_id: ClientOrderIdText | None = None
    self_trade_prevention: SelfTradePrevention | None = None
    extended_hours: bool | None = None
    order_class: str | None = None
    position_intent: str | None = None
    notional: Number | None = None
    stop_price: Number | None = None
    trail_price: Number | None = None
    trail_percent: Number | None = None
    take_profit: object = None
    stop_loss: object = None
    legs: object = None

    def ticket(
        self,
        *,
        order_id: OrderId,
        client_order_id: ClientOrderId | None,
        account_id: AccountId,
        symbol: Symbol,
    ) -> Ticket:
        """Return the order's terms as a ticket.

        A client order id in the body takes precedence over the argument.

        Raises:
            DomainError: a field is missing, or not supported yet.
        """
        if (
            self.order_class
            or self.extended_hours
            or self.position_intent
            or self.notional is not None
            or self.stop_price is not None
            or self.trail_price is not None
            or self.trail_percent is not None
            or self.take_profit is not None
            or self.stop_loss is not None
            or self.legs is not None
        ):
            self._refuse_unsupported()
        qty, limit_price = self.qty, self.limit_price
        if qty is None:
            raise BadParameter("qty is required", "qty")
        return Ticket(
            order_id,
            self.client_order_id or client_order_id or ClientOrderId(order_id),
            account_id,
            symbol,
            self.side,
            self.type,
            self.time_in_force,
            quantity(qty, "qty"),
            None if limit_price is None else price(limit_price, "limit_price"),
            self.self_trade_prevention,
        )

    def _refuse_unsupported(self) -> None:
        """Refuse a field that would change the order; accept Alpaca's defaults."""
        if self.notional is not None:
            raise NotSupportedYet("orders by notional are", "notional")
        if self.order_class not in (None, "", "simple"):
            raise NotSupportedYet(f'order_class "{self.order_class}" is', "order_class")
        for name in ("take_profit", "stop_loss", "legs"):
            if getattr(self, name) is not None:
                raise NotSupportedYet(f"{name} is", name)
        for name in ("stop_price", "trail_price", "trail_percent"):
            if getattr(self, name) is not None:
                raise NotSupportedYet(f"{name} (stop and trailing orders) is", name)
        if self.extended_hours:
            raise NoExtendedHours
        usual = "buy_to_open" if self.side is Side.BUY else "sell_to_close"
        if self.position_intent not in (None, usual):
            raise NotSupportedYet(
                f'position_intent "{self.position_intent}" (short selling) is',
                "position_intent",
            )


class _Words(msgspec.Struct):
    """The words of an order that failed to decode, to compare with Alpaca's."""

    type: object = None
    time_in_force: object = None


UNSUPPORTED_TYPES = ("stop", "stop_limit", "trailing_stop")
UNSUPPORTED_TIMES = ("opg", "cls", "gtd")

_new_order = BodyReader(NewOrder)
_words = BodyReader(_Words)


def read_order(body: bytes | msgspec.Raw) -> NewOrder:
    """Decode an order.

    Raises:
        DomainError: the body is malformed or invalid, or not supported yet.
    """
    try:
        return _new_order.read(body)
    except BadParameter as refusal:
        raise _explained(body, refusal) from None


def _explained(body: bytes | msgspec.Raw, refusal: BadParameter) -> DomainError:
    try:
        words = _words.read(body)
    except DomainError:
        return refusal
    if words.type in UNSUPPORTED_TYPES:
        return NotSupportedYet(f"orders of type {words.type} are", "type")
    if words.time_in_force in UNSUPPORTED_TIMES:
        return NotSupportedYet(
            f"orders with time_in_force {words.time_in_force} are", "time_in_force"
        )
    return refusal
