"""Handlers that list, edit, halt and resume instruments."""

import msgspec

from commands.messages import (
    ChangeListing,
    HaltMarket,
    ListAsset,
    ListingChanges,
    ResumeMarket,
)
from commands.state.exchange import Exchange
from domain.errors import AlreadyExists, OrdersOutsideBand
from domain.events.security import OperationForced
from domain.listing import Listing
from domain.market.market import Market


def list_asset(exchange: Exchange, command: ListAsset) -> None:
    """Admit an instrument; its symbol is never free again."""
    symbol = command.listing.symbol
    if symbol in exchange.markets:
        raise AlreadyExists(f"{symbol} is already listed", symbol=symbol)
    market = Market(symbol, exchange.outbox)
    market.admit(command.listing, session_date=command.session_date, meta=command.meta)
    exchange.add(market)


def change_listing(exchange: Exchange, command: ChangeListing) -> None:
    """Edit the terms of an instrument; record nothing if none changes.

    Raises:
        OrdersOutsideBand: the change strands resting orders (rule LIST-05).
    """
    market = exchange.market(command.symbol)
    listing = edited(market.listing, command.changes)
    if listing == market.listing:
        return
    stranded = _stranded(market, listing)
    if stranded and not command.force:
        raise OrdersOutsideBand(symbol=command.symbol, orders=stranded)
    market.change_listing(listing, meta=command.meta)
    if stranded:
        forced = OperationForced(
            command.meta, "change-listing", OrdersOutsideBand.code, command.symbol
        )
        exchange.security.force(forced)


def _stranded(market: Market, listing: Listing) -> int:
    """Return how many resting orders only the new terms put outside the band."""
    before = market.listing
    if listing.band() in (before.band(), None):
        return 0
    # By price, and not by order: a book may have millions of orders.
    return sum(
        level.count
        for side in (market.book.bids, market.book.asks)
        for level in side
        if listing.broken_bound(level.price) is not None
        and before.broken_bound(level.price) is None
    )


def edited(listing: Listing, changes: ListingChanges) -> Listing:
    """Return the listing after the changes; a price band of 0 removes the band."""
    terms = {
        name: value
        for name, value in msgspec.structs.asdict(changes).items()
        if value is not None
    }
    if terms.get("price_band") == 0:
        terms["price_band"] = None
    return msgspec.structs.replace(listing, **terms)


def halt_market(exchange: Exchange, command: HaltMarket) -> None:
    """Halt trading in an instrument; its resting orders stay."""
    exchange.market(command.symbol).halt(command.reason, meta=command.meta)


def resume_market(exchange: Exchange, command: ResumeMarket) -> None:
    """Resume trading in an instrument."""
    exchange.market(command.symbol).resume(meta=command.meta)
