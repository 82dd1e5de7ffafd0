"""The opening of a market as commands: an instrument is listed, a trader is funded.

Benchmarks and tests open their markets with these.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from commands.messages import Command, Deposit, GrantShares, ListAsset, Register
from domain.events.event import Meta
from domain.ids import AccountId, Symbol, UserId
from domain.listing import Listing
from domain.money import Money, Price, Quantity, dollars

TICK = 100
#: The first day of every market.
SESSION = "2026-01-01"


class Grant(NamedTuple):
    """Shares that an account begins with, and the cost of each."""

    symbol: Symbol
    quantity: Quantity
    price: Price
    reference: str = "opening"


def listing(symbol: Symbol = "ACME", **terms: Any) -> Listing:
    """Return terms of an instrument that trades around 10.00, in cents.

    A price among the terms may be a word, in dollars.
    """
    usual: dict[str, Any] = {
        "symbol": symbol,
        "asset_id": f"asset-{symbol}",
        "name": f"{symbol} Corporation",
        "exchange": "NYSE",
        "lot_size": 1,
        "tick_size": TICK,
        "reference_price": 100_000,
    }
    words = usual | terms
    for name in ("tick_size", "reference_price"):
        if isinstance(words[name], str):
            words[name] = dollars(words[name])
    return Listing(**words)


def list_instrument(next_meta: Callable[[], Meta], terms: Listing) -> ListAsset:
    """Return the command that lists an instrument."""
    return ListAsset(next_meta(), terms, SESSION)


def open_account(
    next_meta: Callable[[], Meta],
    account_id: AccountId,
    user_id: UserId,
    *,
    cash: Money = 0,
    shares: Iterable[Grant] = (),
) -> Iterator[Command]:
    """Yield the commands that register a user and fund the account."""
    yield Register(next_meta(), user_id, account_id, user_id, "e", "n", "h")
    if cash:
        yield Deposit(next_meta(), account_id, cash, "opening")
    for grant in shares:
        yield GrantShares(next_meta(), account_id, *grant)
