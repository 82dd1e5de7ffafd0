"""Read models in tests: facts in, and everything that is stored out, as plain text."""

from collections.abc import Iterable, Sequence
from typing import Any

from domain.ids import AccountId, Symbol
from processors.host import Host, begin
from projections.accounts.positions import Position, positions_of, positions_request
from projections.market.price_queries import history_of, history_request
from projections.market.price_rows import PricePoint
from projections.market.tape import Trade, trades_of, trades_request
from projections.projection import Projection
from projections.register import PROJECTIONS
from projections.store import ReadResult, ReadRows, ReadScores, Request, Store, Views


def live_host(
    store: Store,
    types: Iterable[type[Projection]] = PROJECTIONS,
    generation_id: str = "test",
) -> Host:
    """Return a host at work on empty live generations."""
    followed = begin(store, types, generation_id)
    for each in followed:
        assert store.switch(each.view, each.place)
        each.live = True
    return Host(store, followed)


def dump(
    store: Store, types: Iterable[type[Projection]] = PROJECTIONS
) -> dict[str, list[str]]:
    """Return everything in the live generations, sorted, by key."""
    found: dict[str, list[str]] = {}
    for each in types:
        view = each.view
        (answer,) = store.read([Request(view, [])])
        assert answer is not None, view.name
        found[view.name] = [str(answer.checkpoint)]
        generation = answer.generation
        for table in store.tables(view, generation):
            pages = store.keys(view, generation, table)
            keys = sorted({key.decode() for page in pages for key in page})
            (held,) = store.read([Request(view, [ReadRows(table, keys)])])
            found[f"{view.name}:{table}"] = lines(keys, held)
        for name in store.collections(view, generation):
            held_pages = store.entries(view, generation, name)
            entries = sorted({each for page in held_pages for each in page})
            worded = [(score, member.decode()) for score, member in entries]
            (held,) = store.read([Request(view, [ReadScores(name, worded)])])
            members = [member for _, member in worded]
            found[f"{view.name}:{name}"] = lines(members, held)
    return found


def lines(names: Sequence[str], answer: ReadResult | None) -> list[str]:
    assert answer is not None
    values = zip(names, answer.replies[0], strict=True)
    return [f"{name}={(value or b'').decode()}" for name, value in values]


async def all_positions(views: Views, account_id: AccountId) -> list[Position]:
    """Return every position that an account ever had."""
    (result,) = await views.read_at_once([positions_request(account_id)])
    return positions_of(result)


async def open_positions(views: Views, account_id: AccountId) -> list[Position]:
    """Return the positions that hold shares."""
    return [each for each in await all_positions(views, account_id) if each.quantity]


async def position(
    views: Views, account_id: AccountId, symbol: Symbol
) -> Position | None:
    """Return an open position in one instrument."""
    held = {each.symbol: each for each in await open_positions(views, account_id)}
    return held.get(symbol)


async def price_history(
    views: Views, symbol: Symbol, **bounds: Any
) -> list[PricePoint]:
    """Return a price series, as `history_request` bounds it."""
    (result,) = await views.read_at_once([history_request(symbol, **bounds)])
    return history_of(result)


async def trades(views: Views, symbol: Symbol, **bounds: Any) -> list[Trade]:
    """Return trades of the tape, as `trades_request` bounds them."""
    (result,) = await views.read_at_once([trades_request(symbol, **bounds)])
    return trades_of(result)
