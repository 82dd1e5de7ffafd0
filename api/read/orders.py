"""Queries of the caller's orders: a list, one order, and the fills of one."""

from collections.abc import Sequence
from typing import Annotated, Literal, get_args

import msgspec
from litestar import Response, get
from litestar.params import FromPath, FromQuery, QueryParameter

from api.http.request_errors import NotSupportedYet
from api.read.door import CallerDependency, Reading, ReadingDependency
from api.read.times import PeriodDependency
from api.wire.order import Order
from api.wire.symbols import Symbols, symbols_in
from api.wire.text import average, instant, optional, optional_instant
from domain.errors import NotFound
from domain.ids import AccountId, AssetId, ClientOrderId, OrderId, Symbol, TradeId
from domain.money import text
from domain.vocabulary import Liquidity, OrderStatus, Side
from projections.orders import order_queries
from projections.orders.order_queries import FILLS_MAX
from projections.orders.orders import OrderRecord

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
    # No order of Bourse ever has one of the other states of Alpaca's API.
    **dict.fromkeys(get_args(StatusFilter), ()),
    "open": order_queries.OPEN,
    "closed": order_queries.CLOSED,
    "all": order_queries.ALL,
    **{status.value: (status,) for status in OrderStatus},
}


def order_of(record: OrderRecord, asset_id: AssetId | None) -> Order:
    """Return the wire form of an order's record."""
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
    caller: CallerDependency,
    period: PeriodDependency,
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
    """List the caller's orders by time of submission; by default, open ones only."""
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
        symbols=symbols_in(symbols) + symbols_in(symbol),
        limit=limit,
    )
    return reading.answer(
        [order_of(each, await reading.asset_id(each.symbol)) for each in records]
    )


@get("/v2/orders/{order_id:str}", tags=TAGS)
async def get_order(
    order_id: FromPath[OrderId],
    caller: CallerDependency,
    reading: ReadingDependency,
    nested: FromQuery[bool] = False,
) -> Response[Order]:
    """Return one of the caller's orders by its id."""
    del nested  # No order of Bourse has legs.
    record = await _own(reading, caller.account_id, order_id)
    return reading.answer(order_of(record, await reading.asset_id(record.symbol)))


@get("/v2/orders:by_client_order_id", tags=TAGS)
async def get_order_by_client_order_id(
    client_order_id: Annotated[
        ClientOrderId, QueryParameter(min_length=1, max_length=128)
    ],
    caller: CallerDependency,
    reading: ReadingDependency,
) -> Response[Order]:
    """Return the caller's newest order that has this client order id."""
    record = await order_queries.by_client_order_id(
        reading, caller.account_id, client_order_id
    )
    if record is None:
        raise NotFound("order", client_order_id)
    return reading.answer(order_of(record, await reading.asset_id(record.symbol)))


class OrderFill(msgspec.Struct):
    """One order's share of one trade."""

    trade_id: TradeId
    price: str
    qty: str
    fee: str
    liquidity: Liquidity
    time: str
    log_position: int


@get("/v2/orders/{order_id:str}/fills", tags=TAGS)
async def list_fills(
    order_id: FromPath[OrderId],
    caller: CallerDependency,
    reading: ReadingDependency,
    limit: Annotated[int, QueryParameter(ge=1, le=FILLS_MAX)] = FILLS_MAX,
    page_token: Annotated[
        int, QueryParameter(ge=0, le=2**53, description="The fills to skip.")
    ] = 0,
) -> Response[list[OrderFill]]:
    """List the fills of one of the caller's orders, oldest first. Fills from before a
    replacement belong to the old order, which `replaces` names."""
    record = await _own(reading, caller.account_id, order_id)
    fills = await order_queries.fills(reading, record, first=page_token, limit=limit)
    shown = page_token + len(fills)
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
            for each in fills
        ],
        next_page=shown if fills and shown < record.fills else None,
    )


async def _own(
    reading: Reading, account_id: AccountId, order_id: OrderId
) -> OrderRecord:
    """Return the account's own order. Raises NotFound for another account's too."""
    record = await order_queries.order(reading, order_id)
    if record is None or record.account_id != account_id:
        raise NotFound("order", order_id)
    return record
