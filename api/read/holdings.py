"""The cash and the shares of an account, with prices: all from one log position.

Between two reads, a trade may turn cash into shares and move the price. Only a single
read of everything counts everything exactly once (rule VIEW-03).
"""

import msgspec

from domain.ids import AccountId, Symbol
from projections.accounts import positions
from projections.accounts.balances import Balance, balance_of, balance_request
from projections.accounts.positions import Position
from projections.market import instruments, price_queries, prices
from projections.market.instruments import Instrument
from projections.market.price_rows import PriceRow
from projections.readable import decoding
from projections.store import Views


class Holding(msgspec.Struct, frozen=True):
    """An open position with the published price and the terms of its instrument."""

    position: Position
    price: PriceRow
    instrument: Instrument


async def holdings(
    views: Views, account_id: AccountId
) -> tuple[Balance | None, list[Holding]]:
    """Return the cash, None if there is no such account, and the holdings by symbol."""
    known: list[Symbol] = []
    while True:
        cash, shares, priced, listed = await views.read_at_once(
            [
                balance_request(account_id),
                positions.positions_request(account_id),
                price_queries.prices_request(known),
                instruments.named_request(known),
            ]
        )
        held = [each for each in positions.positions_of(shares) if each.quantity]
        symbols = [each.symbol for each in held]
        if set(symbols).issubset(known):
            break
        # Which prices to read is known only now. The next read has all of them, unless
        # the account gets shares of another instrument meanwhile.
        known = symbols
    price_rows, named = price_queries.prices_of(priced), instruments.named_of(listed)
    with decoding(prices.VIEW, priced):
        held_prices = [price_rows[symbol] for symbol in symbols]
    with decoding(instruments.VIEW, listed):
        held_instruments = [named[symbol] for symbol in symbols]
    holdings = map(Holding, held, held_prices, held_instruments)
    return balance_of(cash), list(holdings)
