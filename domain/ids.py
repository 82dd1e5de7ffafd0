"""Identifiers, and the names of the streams they own.

Every id is text: a UUID in its usual 36 characters, except the symbol, which is the
short name of an instrument. Ids come in with a command; nothing here invents one.

>>> wallet_stream("6a1c")
'wallet-6a1c'
>>> account_of("wallet-6a1c")
'6a1c'
"""

from typing import TypeAlias
from uuid import NAMESPACE_OID, uuid5

UserId: TypeAlias = str
AccountId: TypeAlias = str
#: The id of what cash is set aside for: an order, a withdrawal.
HoldId: TypeAlias = str
OrderId: TypeAlias = str
ClientOrderId: TypeAlias = str
AssetId: TypeAlias = str
Symbol: TypeAlias = str
CommandId: TypeAlias = str
TradeId: TypeAlias = int
Stream: TypeAlias = str
LogPosition: TypeAlias = int

#: The wallet that collects the venue's fees. One for each installation, never a user's.
HOUSE_ACCOUNT: AccountId = "00000000-0000-4000-8000-000000000001"

#: The acting user of what the venue does by itself (day roll, first set-up).
SYSTEM: UserId = "system"


def derived_id(origin: str, part: str) -> str:
    """Return an id made of another one: the same for the same part.

    >>> derived_id("6a1c", "ACME") == derived_id("6a1c", "ACME")
    True
    """
    return str(uuid5(NAMESPACE_OID, f"{origin}/{part}"))


def user_stream(user_id: UserId) -> Stream:
    return "user-" + user_id


def wallet_stream(account_id: AccountId) -> Stream:
    return "wallet-" + account_id


def market_stream(symbol: Symbol) -> Stream:
    return "market-" + symbol


def email_stream(claim: str) -> Stream:
    return "email-" + claim


def account_of(stream: Stream) -> AccountId:
    """The account whose wallet a `wallet-…` stream is."""
    return stream[7:]


def symbol_of(stream: Stream) -> Symbol:
    """The symbol whose market a `market-…` stream is."""
    return stream[7:]
