"""The audit's totals of each account, and the legs of a trade."""

from collections.abc import Iterator
from typing import NamedTuple

from domain.events.market import TradeExecuted
from domain.events.wallet import FundsHeld
from domain.ids import HOUSE_ACCOUNT, OrderId, Stream, Symbol, wallet_stream
from domain.money import NO_MONEY, NO_PRICE, NO_SHARES, Money, Price, Quantity
from domain.vocabulary import Side

_HOUSE = wallet_stream(HOUSE_ACCOUNT)
_NO_ORDER = OrderId("")
#: The name of the leg that pays the fees to the venue.
HOUSE_PART = "house"


class Holding:
    """Shares of one instrument in one account."""

    __slots__ = ("cost", "quantity", "reserved")

    def __init__(self) -> None:
        self.quantity = NO_SHARES
        self.reserved = NO_SHARES
        self.cost = NO_MONEY

    def part(self, quantity: Quantity) -> Money:
        """Return the cost of some of the shares, rounded down."""
        if self.quantity <= 0:
            return NO_MONEY
        return self.cost * quantity // self.quantity

    def sound(self) -> bool:
        """Return whether no number is negative and no cost is without shares."""
        return (
            0 <= self.reserved <= self.quantity
            and self.cost >= 0
            and (self.quantity > 0 or not self.cost)
        )


class AccountTotals:
    """The cash and shares of one wallet."""

    __slots__ = ("held", "holdings", "ledger")

    def __init__(self) -> None:
        self.ledger = NO_MONEY
        self.held = NO_MONEY
        self.holdings: dict[Symbol, Holding] = {}

    def holding(self, symbol: Symbol) -> Holding:
        """Return the holding in one instrument, empty at first."""
        holding = self.holdings.get(symbol)
        if holding is None:
            holding = self.holdings[symbol] = Holding()
        return holding


class Hold:
    """Cash that a wallet has set aside."""

    __slots__ = ("amount", "per_share", "purpose", "wallet")

    def __init__(self, wallet: Stream, fact: FundsHeld) -> None:
        self.wallet = wallet
        self.amount = fact.amount
        self.per_share = fact.per_share
        self.purpose = fact.purpose


class Reserve:
    """Shares that a wallet has set aside for an order."""

    __slots__ = ("quantity", "symbol", "wallet")

    def __init__(self, wallet: Stream, symbol: Symbol, quantity: Quantity) -> None:
        self.wallet = wallet
        self.symbol = symbol
        self.quantity = quantity


class Leg(NamedTuple):
    """What one account owes or is owed from an executed trade."""

    wallet: Stream
    order_id: OrderId
    price: Price
    quantity: Quantity
    fee: Money
    cash: Money
    shares: Quantity


def legs_of(trade: TradeExecuted) -> Iterator[tuple[str, Leg]]:
    """Yield the legs of a trade: buyer, seller, and the house if there are fees."""
    taker = wallet_stream(trade.taker_account_id), trade.taker_order_id
    maker = wallet_stream(trade.maker_account_id), trade.maker_order_id
    taker_fee, maker_fee = trade.taker_fee, trade.maker_fee
    if trade.taker_side is Side.BUY:
        buyer, buyer_fee, seller, seller_fee = taker, taker_fee, maker, maker_fee
    else:
        buyer, buyer_fee, seller, seller_fee = maker, maker_fee, taker, taker_fee
    price, quantity = trade.price, trade.quantity
    value = price * quantity
    yield (
        Side.BUY,
        Leg(*buyer, price, quantity, buyer_fee, -value - buyer_fee, quantity),
    )
    yield (
        Side.SELL,
        Leg(*seller, price, quantity, seller_fee, value - seller_fee, -quantity),
    )
    fees = buyer_fee + seller_fee
    if fees:
        yield (
            HOUSE_PART,
            Leg(_HOUSE, _NO_ORDER, NO_PRICE, NO_SHARES, fees, fees, NO_SHARES),
        )
