"""The newest public trades of an instrument."""

from typing import Annotated

import msgspec
from litestar import Response, get
from litestar.params import FromPath, QueryParameter

from api.read.door import ReadingDependency
from api.wire.text import instant
from domain.errors import NotFound
from domain.ids import LogPosition, Symbol
from domain.money import text
from domain.vocabulary import Side
from projections.market import price_queries, tape

TRADES = 100
TRADES_MAX = 1_000


class PublicTrade(msgspec.Struct):
    """One trade, without its parties. `id` counts the trades of the instrument from 1.
    `taker_side` is the side of the order that came in and matched."""

    id: str
    price: str
    qty: str
    taker_side: Side
    at: str
    log_position: LogPosition


def _public(trade: tape.Trade) -> PublicTrade:
    return PublicTrade(
        id=str(trade.trade_id),
        price=text(trade.price),
        qty=str(trade.quantity),
        taker_side=trade.taker_side,
        at=instant(trade.at),
        log_position=trade.log_position,
    )


@get("/v2/trades/{symbol:str}", tags=["market data"])
async def list_trades(
    symbol: FromPath[Symbol],
    reading: ReadingDependency,
    limit: Annotated[int, QueryParameter(ge=1, le=TRADES_MAX)] = TRADES,
) -> Response[list[PublicTrade]]:
    """List the newest trades of an instrument, newest first. The server keeps 10,000 of
    them."""
    price, trades = await reading.read_at_once(
        [price_queries.price_request(symbol), tape.trades_request(symbol, limit=limit)]
    )
    if price_queries.price_of(price) is None:
        raise NotFound("asset", symbol)
    return reading.answer([_public(each) for each in tape.trades_of(trades)])
