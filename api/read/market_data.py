"""Public market data: instruments, prices, and the clock."""

from collections.abc import Callable
from datetime import tzinfo
from typing import Annotated, Literal, TypeAlias

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from api.read.door import ReadingDependency
from api.read.times import PeriodDependency
from api.wire.asset import Asset, Exchange, asset_of
from api.wire.symbols import Symbols, symbols_in
from api.wire.text import instant, optional
from domain.errors import NotFound
from domain.events.event import Timestamp
from domain.ids import LogPosition, Symbol
from domain.market.trading_day import next_roll
from domain.money import Quantity, text
from domain.vocabulary import PriceBasis
from projections.market import instruments, price_queries
from projections.market.instruments import Instrument
from projections.market.price_rows import SECOND, PricePoint, PriceRow

TAGS = ["market data"]
#: Returns the time.
Now: TypeAlias = Callable[[], Timestamp]


def _asset(instrument: Instrument) -> Asset:
    return asset_of(
        instrument.listing,
        halt_reason=instrument.halt_reason if instrument.halted else None,
        session_date=instrument.session_date,
        listed_at=instrument.listed_at,
    )


@get("/v2/assets", tags=TAGS)
async def list_assets(
    reading: ReadingDependency,
    status: FromQuery[Literal["active", "inactive"] | None] = None,
    asset_class: FromQuery[str | None] = None,
    exchange: FromQuery[Exchange | None] = None,
    attributes: FromQuery[str | None] = None,
    q: Annotated[str, QueryParameter(description="A part of the symbol or name.")] = "",
) -> Response[list[Asset]]:
    """List the instruments by symbol. Every instrument is active, and none has one of
    Alpaca's attributes."""
    if status == "inactive" or attributes or asset_class not in (None, "", "us_equity"):
        return reading.answer([])
    matches = await instruments.all_instruments(reading, q=q.strip())
    return reading.answer(
        [
            _asset(each)
            for each in matches
            if exchange is None or each.listing.exchange == exchange
        ]
    )


@get("/v2/assets/{symbol:str}", tags=TAGS)
async def get_asset(
    symbol: FromPath[Symbol], reading: ReadingDependency
) -> Response[Asset]:
    """Return an instrument by its symbol or its asset id."""
    instrument = await instruments.instrument(reading, symbol)
    if instrument is None:
        raise NotFound("asset", symbol)
    return reading.answer(_asset(instrument))


class MarketPrice(msgspec.Struct, kw_only=True):
    """The published price of an instrument, with quote and session figures. `open`,
    `high`, `low`, `close`, `volume`, `trades` and `vwap` describe the current session;
    `change` is since the previous close."""

    symbol: Symbol
    price: str
    basis: PriceBasis
    last: str | None
    bid: str | None
    ask: str | None
    mid: str | None
    bid_size: str
    ask_size: str
    open: str | None
    high: str | None
    low: str | None
    close: str | None
    previous_close: str | None
    change: str | None
    change_percent: str | None
    volume: Quantity
    trades: int
    vwap: str | None
    as_of: str
    session_date: str
    sequence: int
    log_position: LogPosition


def _price(row: PriceRow) -> MarketPrice:
    return MarketPrice(
        symbol=row.symbol,
        price=text(row.price),
        basis=row.basis,
        last=optional(row.last),
        bid=optional(row.bid),
        ask=optional(row.ask),
        mid=optional(row.mid),
        bid_size=str(row.bid_size),
        ask_size=str(row.ask_size),
        open=optional(row.open),
        high=optional(row.high),
        low=optional(row.low),
        close=optional(row.close),
        previous_close=optional(row.previous_close),
        change=optional(row.change),
        change_percent=optional(row.change_percent),
        volume=row.volume,
        trades=row.trades,
        vwap=optional(row.vwap),
        as_of=instant(row.as_of),
        session_date=row.session_date,
        sequence=row.sequence,
        log_position=row.log_position,
    )


@get("/v2/prices", tags=TAGS)
async def list_prices(
    reading: ReadingDependency,
    symbols: Symbols = None,
) -> Response[list[MarketPrice]]:
    """List the published prices by symbol."""
    wanted = symbols_in(symbols)
    rows = await price_queries.prices(reading, wanted or None)
    return reading.answer([_price(row) for row in rows])


@get("/v2/prices/{symbol:str}", tags=TAGS)
async def get_price(
    symbol: FromPath[Symbol], reading: ReadingDependency
) -> Response[MarketPrice]:
    """Return the published price of an instrument."""
    row = await price_queries.price(reading, symbol)
    if row is None:
        raise NotFound("asset", symbol)
    return reading.answer(_price(row))


class PriceAt(msgspec.Struct):
    """The price at the end of a second in which it changed."""

    time: str
    price: str
    basis: PriceBasis
    last: str | None
    bid: str | None
    ask: str | None
    volume: Quantity


def _point(point: PricePoint) -> PriceAt:
    return PriceAt(
        instant(point.second * SECOND),
        text(point.price),
        point.basis,
        optional(point.last),
        optional(point.bid),
        optional(point.ask),
        point.volume,
    )


@get("/v2/prices/{symbol:str}/history", tags=TAGS)
async def list_price_history(
    symbol: FromPath[Symbol],
    period: PeriodDependency,
    limit: Annotated[int, QueryParameter(ge=1, le=3_600)] = 1_000,
    direction: FromQuery[Literal["asc", "desc"]] = "asc",
) -> Response[list[PriceAt]]:
    """List the published price second by second. The server keeps the newest 3,600
    seconds with a change."""
    price, history = await period.reading.read_at_once(
        [
            price_queries.price_request(symbol),
            price_queries.history_request(
                symbol,
                after=period.after,
                until=period.until,
                newest_first=direction == "desc",
                limit=limit,
            ),
        ]
    )
    if price_queries.price_of(price) is None:
        raise NotFound("asset", symbol)
    points = price_queries.history_of(history)
    return period.reading.answer([_point(each) for each in points])


class Clock(msgspec.Struct):
    """The venue trades around the clock; at `next_open` the next day begins."""

    timestamp: str
    is_open: bool
    next_open: str
    next_close: str


@get("/v2/clock", tags=TAGS)
async def get_clock(
    now: NamedDependency[Now], market_timezone: NamedDependency[tzinfo]
) -> Clock:
    """Return the time of the server and the start of the next day."""
    at = now()
    roll = instant(next_roll(at, market_timezone))
    return Clock(instant(at), is_open=True, next_open=roll, next_close=roll)
