"""Orders as their owner asks for them: listed, one, and with their fills."""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery, QueryParameter

from api.http.request_errors import NotSupportedYet
from api.read.door import GivenCaller, GivenReading, Reading
from api.read.times import GivenPeriod
from api.wire.order import Order
from api.wire.symbols import Symbols, listed_symbols
from api.wire.text import average, instant, optional, optional_instant
from domain.errors import NotFound
from domain.ids import AccountId, AssetId, OrderId, Symbol
from domain.money import text
from domain.vocabulary import Liquidity, OrderStatus, Side
from projections import order_queries
from projections.orders import OrderRecord

TAGS = ["orders"]

StatusFilter = Literal[
    "open",
    "closed",
    "all",
    "new",
    "partially_filled",
    "filled",
    "canceled",
    "expired",
    "replaced",
    "rejected",
    "accepted",
    "accepted_for_bidding",
    "calculated",
    "done_for_day",
    "held",
    "pending_cancel",
    "pending_new",
    "pending_replace",
    "pending_review",
    "stopped",
    "suspended",
]
STATUSES: dict[str, Sequence[OrderStatus]] = {
    # First, that no order of Bourse is ever in the other states that Alpaca names.
    **dict.fromkeys(get_args(StatusFilter), ()),
    "open": order_queries.OPEN,
    "closed": order_queries.CLOSED,
    "all": order_queries.ALL,
    **{status.value: (status,) for status in OrderStatus},
}


def order_of(record: OrderRecord, asset_id: AssetId | None) -> Order:
    """The wire form of an order's record."""
    submitted_at = instant(record.submitted_at)
    filled = record.filled
    return Order(
        record.order_id,
        record.client_order_id,
        submitted_at,
        instant(record.updated_at),
        submitted_at,
        asset_id,
        record.symbol,
        str(record.quantity),
        record.side,
        record.order_type,
        record.order_type,
        record.time_in_force,
        optional(record.limit_price),
        record.status,
        record.self_trade_prevention,
        filled_at=optional_instant(record.filled_at),
        expired_at=optional_instant(record.expired_at),
        canceled_at=optional_instant(record.canceled_at),
        failed_at=optional_instant(record.failed_at),
        replaced_at=optional_instant(record.replaced_at),
        replaced_by=record.replaced_by,
        replaces=record.replaces,
        filled_qty=str(filled),
        filled_avg_price=average(record.filled_notional, filled) if filled else None,
        reject_reason=record.reject_reason,
        reject_bound=optional(record.bound),
        cancel_reason=record.cancel_reason,
        cancel_note=record.note or None,
    )


@get("/v2/orders", tags=TAGS)
async def list_orders(
    caller: GivenCaller,
    period: GivenPeriod,
    status: FromQuery[StatusFilter] = "open",
    limit: Annotated[int, QueryParameter(ge=1, le=500)] = 50,
    direction: FromQuery[Literal["asc", "desc"]] = "desc",
    side: FromQuery[Side | None] = None,
    symbols: Symbols = None,
    symbol: FromQuery[Symbol | None] = None,
    nested: FromQuery[bool] = False,
    asset_class: FromQuery[str | None] = None,
    before_order_id: FromQuery[str | None] = None,
    after_order_id: FromQuery[str | None] = None,
) -> Response[list[Order]]:
    """The caller's orders by time of submission; the open ones, unless asked."""
    del nested  # No order of Bourse has legs.
    if before_order_id or after_order_id:
        raise NotSupportedYet("paging by order id (use after and until) is")
    reading = period.reading
    statuses = STATUSES[status]
    if not statuses or asset_class not in (None, "", "us_equity"):
        return reading.answer([])
    records = await order_queries.orders(
        reading,
        caller.account_id,
        statuses=statuses,
        after=period.after,
        until=period.until,
        newest_first=direction == "desc",
        side=side,
        symbols=listed_symbols(symbols) + ((symbol,) if symbol else ()),
        limit=limit,
    )
    return reading.answer(
        [order_of(each, await reading.asset_id(each.symbol)) for each in records]
    )


@get("/v2/orders/{order_id:str}", tags=TAGS)
async def get_order(
    order_id: FromPath[OrderId],
    caller: GivenCaller,
    reading: GivenReading,
    nested: FromQuery[bool] = False,
) -> Response[Order]:
    """One order of the caller's."""
    del nested  # No order of Bourse has legs.
    record = await _own(reading, caller.account_id, order_id)
    return reading.answer(order_of(record, await reading.asset_id(record.symbol)))


@get("/v2/orders:by_client_order_id", tags=TAGS)
async def get_order_by_client_order_id(
    client_order_id: Annotated[str, QueryParameter(min_length=1, max_length=128)],
    caller: GivenCaller,
    reading: GivenReading,
) -> Response[Order]:
    """One order of the caller's, by the id that the caller gave it."""
    record = await order_queries.by_client_order_id(
        reading, caller.account_id, client_order_id
    )
    if record is None:
        raise NotFound("order", client_order_id)
    return reading.answer(order_of(record, await reading.asset_id(record.symbol)))


class OrderFill(msgspec.Struct):
    """One order's share of one trade."""

    trade_id: int
    price: str
    qty: str
    fee: str
    liquidity: Liquidity
    time: str
    log_position: int


@get("/v2/orders/{order_id:str}/fills", tags=TAGS)
async def list_fills(
    order_id: FromPath[OrderId], caller: GivenCaller, reading: GivenReading
) -> Response[list[OrderFill]]:
    """The fills of one order of the caller's, oldest first. What an order had filled
    before it was replaced is told of that order, which `replaces` names."""
    record = await _own(reading, caller.account_id, order_id)
    return reading.answer(
        [
            OrderFill(
                each.trade_id,
                text(each.price),
                str(each.quantity),
                text(each.fee),
                each.liquidity,
                instant(each.at),
                each.log_position,
            )
            for each in await order_queries.fills(reading, record.order_id)
        ]
    )


async def _own(
    reading: Reading, account_id: AccountId, order_id: OrderId
) -> OrderRecord:
    """Somebody else's order is as little there as one that never was."""
    record = await order_queries.order(reading, order_id)
    if record is None or record.account_id != account_id:
        raise NotFound("order", order_id)
    return record
