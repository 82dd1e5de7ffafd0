"""The enumerations of orders, markets and accounts.

The API and the log contain these values, so they never change.
"""

from enum import StrEnum


class Side(StrEnum):
    """The side of an order or a trade."""

    BUY = "buy"
    SELL = "sell"


#: Before Python 3.12, reading a module's name is several times faster than reading a
#: member of an enum. The market reads these for every order.
BUY, SELL = Side.BUY, Side.SELL


class OrderType(StrEnum):
    """The type of an order: with a limit price, or without."""

    MARKET = "market"
    LIMIT = "limit"


LIMIT = OrderType.LIMIT


class TimeInForce(StrEnum):
    """The lifetime of an order: the day, until canceled, or none."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


DAY, GTC, FOK = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.FOK


class OrderStatus(StrEnum):
    """The state of an order; `TRANSITIONS` says which may follow which."""

    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"


class SelfTradePrevention(StrEnum):
    """The order to cancel when both sides of a trade would be one account."""

    CANCEL_NEWEST = "cancel_newest"
    CANCEL_OLDEST = "cancel_oldest"
    CANCEL_BOTH = "cancel_both"


class RejectReason(StrEnum):
    """The reason for a rejection. The market reports the first that applies."""

    MARKET_HALTED = "market-halted"
    PRICE_OUTSIDE_BAND = "price-outside-band"


class CancelReason(StrEnum):
    """The reason why an order ended before it was filled."""

    REQUESTED = "requested"
    ADMINISTRATIVE = "administrative"
    NO_LIQUIDITY = "no-liquidity"
    IMMEDIATE_OR_CANCEL = "immediate-or-cancel"
    FILL_OR_KILL = "fill-or-kill"
    COLLAR = "collar"
    PRICE_BAND = "price-band"
    SELF_TRADE = "self-trade"
    TOO_MANY_FILLS = "too-many-fills"


class Liquidity(StrEnum):
    """The part in a trade: the maker's order rested, the taker's came in."""

    MAKER = "maker"
    TAKER = "taker"


class HoldPurpose(StrEnum):
    """The purpose of a hold on cash."""

    ORDER = "order"
    WITHDRAWAL = "withdrawal"


class WalletKind(StrEnum):
    """The owner of a wallet: a trader or the venue."""

    TRADER = "trader"
    HOUSE = "house"


class Role(StrEnum):
    """A user's role, which decides the routes that the user may call."""

    TRADER = "trader"
    ADMIN = "admin"


class PriceBasis(StrEnum):
    """The source of an instrument's published price (rule PRICE-01)."""

    MICROPRICE = "microprice"
    LAST = "last"
    REFERENCE = "reference"
