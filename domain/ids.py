"""Identifiers, and the names of the streams they own.

Every id is text: a UUID of 36 characters, except the symbol, which is the short name of
an instrument. Ids arrive with a command; the domain never generates a random one.

>>> wallet_stream("6a1c")
'wallet-6a1c'
>>> account_of("wallet-6a1c")
'6a1c'
"""

from typing import TypeAlias
from uuid import NAMESPACE_OID, uuid5

UserId: TypeAlias = str
AccountId: TypeAlias = str
#: The id of the order or withdrawal that a hold backs.
HoldId: TypeAlias = str
OrderId: TypeAlias = str
ClientOrderId: TypeAlias = str
AssetId: TypeAlias = str
Symbol: TypeAlias = str
CommandId: TypeAlias = str
TradeId: TypeAlias = int
Stream: TypeAlias = str
LogPosition: TypeAlias = int

#: The wallet that collects the venue's fees. It belongs to no user.
HOUSE_ACCOUNT: AccountId = "00000000-0000-4000-8000-000000000001"

#: The actor of the venue's commands, such as the day roll and the first set-up.
SYSTEM: UserId = "system"


def derived_id(origin: str, part: str) -> str:
    """Derive an id from another; the same origin and part give the same id.

    >>> derived_id("6a1c", "ACME") == derived_id("6a1c", "ACME")
    True
    """
    return str(uuid5(NAMESPACE_OID, f"{origin}/{part}"))


def user_stream(user_id: UserId) -> Stream:
    """Return the name of a user's stream."""
    return "user-" + user_id


def wallet_stream(account_id: AccountId) -> Stream:
    """Return the name of the stream of an account's wallet."""
    return "wallet-" + account_id


def market_stream(symbol: Symbol) -> Stream:
    """Return the name of the stream of a symbol's market."""
    return "market-" + symbol


def email_stream(claim: str) -> Stream:
    """Return the name of an address's stream; `claim` is its keyed hash."""
    return "email-" + claim


def account_of(stream: Stream) -> AccountId:
    """Return the account of a `wallet-…` stream."""
    return stream[7:]


def symbol_of(stream: Stream) -> Symbol:
    """Return the symbol of a `market-…` stream."""
    return stream[7:]
