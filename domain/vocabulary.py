"""The closed lists of words that orders, markets and accounts are described with.

The values are the words on the wire and in the log; they never change.
"""

from enum import StrEnum


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


#: Reading a name of a module is several times faster than reading a member of an enum
#: (before Python 3.12), and these are read for every order that passes.
BUY, SELL = Side.BUY, Side.SELL


class OrderType(StrEnum):
    MARKET = "market"
    LIMIT = "limit"


LIMIT = OrderType.LIMIT


class TimeInForce(StrEnum):
    """How long an order stays: for the day, until canceled, or not at all."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"


DAY, GTC, FOK = TimeInForce.DAY, TimeInForce.GTC, TimeInForce.FOK


class OrderStatus(StrEnum):
    NEW = "new"
    PARTIALLY_FILLED = "partially_filled"
    FILLED = "filled"
    CANCELED = "canceled"
    EXPIRED = "expired"
    REPLACED = "replaced"
    REJECTED = "rejected"


class SelfTradePrevention(StrEnum):
    """Which order goes when both sides of a trade would be one account."""

    CANCEL_NEWEST = "cancel_newest"
    CANCEL_OLDEST = "cancel_oldest"
    CANCEL_BOTH = "cancel_both"


class RejectReason(StrEnum):
    """Why the market said no; the first that applies is the one told."""

    MARKET_HALTED = "market-halted"
    PRICE_OUTSIDE_BAND = "price-outside-band"


class CancelReason(StrEnum):
    """Why an order ended before it was filled."""

    REQUESTED = "requested"
    ADMINISTRATIVE = "administrative"
    NO_LIQUIDITY = "no-liquidity"
    IMMEDIATE_OR_CANCEL = "immediate-or-cancel"
    FILL_OR_KILL = "fill-or-kill"
    COLLAR = "collar"
    PRICE_BAND = "price-band"
    SELF_TRADE = "self-trade"


class Liquidity(StrEnum):
    MAKER = "maker"
    TAKER = "taker"


class HoldPurpose(StrEnum):
    """What cash is set aside for."""

    ORDER = "order"
    WITHDRAWAL = "withdrawal"


class WalletKind(StrEnum):
    TRADER = "trader"
    HOUSE = "house"


class Role(StrEnum):
    TRADER = "trader"
    ADMIN = "admin"


class PriceBasis(StrEnum):
    """What an instrument's published price rests on (rule PRICE-01)."""

    MICROPRICE = "microprice"
    LAST = "last"
    REFERENCE = "reference"
