"""The wire form of an order, in the shape of Alpaca's API.

Decimals are strings, times are RFC 3339. Every key is always present, null if unset:
clients in other languages rely on that.
"""

import msgspec

from domain.ids import AssetId, ClientOrderId, OrderId, Symbol
from domain.vocabulary import (
    CancelReason,
    OrderStatus,
    OrderType,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)

POSITION_HEADER = "Bourse-Log-Position"


class Order(msgspec.Struct, gc=False):
    """An order. Alpaca's API does not have `self_trade_prevention` and the keys from
    `reject_reason` to `cancel_note`."""

    id: OrderId
    client_order_id: ClientOrderId
    created_at: str
    updated_at: str
    submitted_at: str
    asset_id: AssetId | None
    symbol: Symbol
    qty: str
    side: Side
    order_type: OrderType
    type: OrderType
    time_in_force: TimeInForce
    limit_price: str | None
    status: OrderStatus
    self_trade_prevention: SelfTradePrevention
    filled_at: str | None = None
    expired_at: str | None = None
    canceled_at: str | None = None
    failed_at: str | None = None
    replaced_at: str | None = None
    replaced_by: OrderId | None = None
    replaces: OrderId | None = None
    filled_qty: str = "0"
    filled_avg_price: str | None = None
    reject_reason: RejectReason | None = None
    reject_bound: str | None = None
    cancel_reason: CancelReason | None = None
    cancel_note: str | None = None
    asset_class: str = "us_equity"
    order_class: str = ""
    extended_hours: bool = False
    expires_at: str | None = None
    notional: str | None = None
    stop_price: str | None = None
    position_intent: str | None = None
    legs: list[str] | None = None
    trail_percent: str | None = None
    trail_price: str | None = None
    hwm: str | None = None
    ratio_qty: str | None = None
    subtag: str | None = None
    source: str | None = None


class ManyResult(msgspec.Struct, gc=False):
    """The result for one item of a request with many: a status and its body."""

    status: int
    body: msgspec.Raw
