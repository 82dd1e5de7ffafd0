"""Identifiers, and the names of the streams they own.

Every id is text: a UUID of 36 characters, except the symbol, which is the short name of
an instrument. Ids arrive with a command; the domain never generates a random one.

>>> wallet_stream(AccountId("6a1c"))
'wallet-6a1c'
>>> account_of(Stream("wallet-6a1c"))
'6a1c'
"""

from typing import NewType, TypeAlias
from uuid import NAMESPACE_OID, uuid5

from domain.counters import LogPosition, TradeId

UserId = NewType("UserId", str)
AccountId = NewType("AccountId", str)
OrderId = NewType("OrderId", str)
WithdrawalId = NewType("WithdrawalId", str)
#: A hold has the id of the order or withdrawal that it backs.
HoldId: TypeAlias = OrderId | WithdrawalId
ClientOrderId = NewType("ClientOrderId", str)
AssetId = NewType("AssetId", str)
Symbol = NewType("Symbol", str)
CommandId = NewType("CommandId", str)
Stream = NewType("Stream", str)

#: The wallet that collects the venue's fees. It belongs to no user.
HOUSE_ACCOUNT = AccountId("00000000-0000-4000-8000-000000000001")

#: The actor of the venue's commands, such as the day roll and the first set-up.
SYSTEM = UserId("system")

#: The position before the first fact of the log.
LOG_START = LogPosition(0)
#: The number before that of a market's first trade.
NO_TRADE = TradeId(0)


def derived_id(origin: str, part: str) -> str:
    """Derive an id from another; the same origin and part give the same id.

    >>> derived_id("6a1c", "ACME") == derived_id("6a1c", "ACME")
    True
    """
    return str(uuid5(NAMESPACE_OID, f"{origin}/{part}"))


def user_stream(user_id: UserId) -> Stream:
    """Return the name of a user's stream."""
    return Stream("user-" + user_id)


def wallet_stream(account_id: AccountId) -> Stream:
    """Return the name of the stream of an account's wallet."""
    return Stream("wallet-" + account_id)


def market_stream(symbol: Symbol) -> Stream:
    """Return the name of the stream of a symbol's market."""
    return Stream("market-" + symbol)


def email_stream(claim: str) -> Stream:
    """Return the name of an address's stream; `claim` is its keyed hash."""
    return Stream("email-" + claim)


# The next two run once for each fact, and to call a NewType is a call of Python code.
# The type checker cannot know that the rest of a stream's name is an id.


def account_of(stream: Stream) -> AccountId:
    """Return the account of a `wallet-…` stream."""
    return stream[7:]  # pyright: ignore[reportReturnType] # see above


def symbol_of(stream: Stream) -> Symbol:
    """Return the symbol of a `market-…` stream."""
    return stream[7:]  # pyright: ignore[reportReturnType] # see above
