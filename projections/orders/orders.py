"""The record of every order, and the fold that updates it.

A record moves through the states of `domain.market.order.TRANSITIONS`. A replacement
is another order, which carries over the fills of the replaced order.
"""

from typing import ClassVar

import msgspec

from domain.events.event import Timestamp
from domain.events.market import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    TradeExecuted,
)
from domain.events.register import Fact
from domain.ids import (
    AccountId,
    ClientOrderId,
    LogPosition,
    OrderId,
    Symbol,
    TradeId,
    symbol_of,
)
from domain.market.order import TRANSITIONS
from domain.money import NO_MONEY, NO_SHARES, Money, Price, Quantity
from domain.vocabulary import (
    CancelReason,
    Liquidity,
    OrderStatus,
    OrderType,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from projections.projection import Projection, Rows, needs, on
from projections.store import (
    AddEntries,
    Change,
    Entry,
    PutRows,
    RemoveEntries,
    View,
    encoded,
)

VIEW = View("orders")
RECORDS = "records"
CLIENT_IDS = "client_ids"
FILLS = "fills"
MAKER, TAKER = Liquidity.MAKER, Liquidity.TAKER


class OrderRecord(msgspec.Struct, array_like=True, gc=False):
    """An order's current state. `fills` is their number, `fees` their total.

    `filled` and `filled_notional` include what a replaced order had filled before.
    `limit_price` is None for a market order. `bound` is the price limit that a rejected
    order broke. `log_position` is that of the newest fact about the order.
    """

    order_id: OrderId
    client_order_id: ClientOrderId
    account_id: AccountId
    symbol: Symbol
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Quantity
    limit_price: Price | None
    self_trade_prevention: SelfTradePrevention
    status: OrderStatus
    submitted_at: Timestamp
    updated_at: Timestamp
    log_position: LogPosition
    filled: Quantity = NO_SHARES
    filled_notional: Money = NO_MONEY
    fees: Money = NO_MONEY
    fills: int = 0
    filled_at: Timestamp | None = None
    expired_at: Timestamp | None = None
    canceled_at: Timestamp | None = None
    failed_at: Timestamp | None = None
    replaced_at: Timestamp | None = None
    replaces: OrderId | None = None
    replaced_by: OrderId | None = None
    reject_reason: RejectReason | None = None
    bound: Price | None = None
    cancel_reason: CancelReason | None = None
    note: str = ""

    @property
    def leaves(self) -> Quantity:
        """The open quantity; 0 if the order is closed."""
        return self.quantity - self.filled if TRANSITIONS[self.status] else NO_SHARES


class Fill(msgspec.Struct, array_like=True, gc=False):
    """One order's share of one trade."""

    trade_id: TradeId
    price: Price
    quantity: Quantity
    fee: Money
    liquidity: Liquidity
    at: Timestamp
    log_position: LogPosition


def index_key(account_id: AccountId, status: OrderStatus) -> str:
    """Return the name of the collection of an account's orders in one status."""
    return f"index:{account_id}:{status}"


def index_member(record: OrderRecord) -> str:
    """Return an order's member in the index.

    The member contains what listings filter by, so that they read only matching
    records.
    """
    return f"{record.order_id} {record.side} {record.symbol}"


def client_id_field(account_id: AccountId, client_order_id: ClientOrderId) -> str:
    """Return the row key that maps the client's id to the order id."""
    return f"{account_id} {client_order_id}"


def fill_field(order_id: OrderId, number: int) -> str:
    """Return the row key of a fill. The fills of an order are numbered from 0."""
    return f"{order_id} {number}"


class OrdersProjection(Projection):
    """The fold of every fact about an order."""

    view: ClassVar[View] = VIEW

    def __init__(self) -> None:
        self._records = Rows(RECORDS, OrderRecord)
        super().__init__(self._records)
        self._forget()

    def start(self, *, empty: bool) -> None:
        super().start(empty=empty)
        self._forget()

    def _forget(self) -> None:
        self._fills: dict[str, str] = {}
        self._client_ids: dict[str, str] = {}
        # The status under which each order is stored in the index, None for a new one.
        self._indexed: dict[OrderId, OrderStatus | None] = {}

    def _add(self, record: OrderRecord) -> None:
        order_id = record.order_id
        self._records.put(order_id, record)
        self._indexed[order_id] = None
        field = client_id_field(record.account_id, record.client_order_id)
        self._client_ids[field] = order_id

    def _change(
        self, order_id: OrderId, status: OrderStatus, fact: Fact
    ) -> OrderRecord:
        record = self._records.change(order_id)
        if status is not record.status:
            assert status in TRANSITIONS[record.status], order_id
            self._indexed.setdefault(order_id, record.status)
            record.status = status
        record.updated_at = fact.event.meta.at
        record.log_position = fact.position
        return record

    @needs(TradeExecuted)
    def _touches_both(self, event: TradeExecuted, _fact: Fact) -> None:
        self._records.want(event.maker_order_id)
        self._records.want(event.taker_order_id)

    @needs(OrderCanceled, OrderExpired, OrderReplaced)
    def _touches(
        self, event: OrderCanceled | OrderExpired | OrderReplaced, _fact: Fact
    ) -> None:
        self._records.want(event.order_id)

    @on(OrderAccepted)
    def _accepted(self, event: OrderAccepted, fact: Fact) -> None:
        self._add(_record(event, event.order_id, fact, OrderStatus.NEW))

    @on(OrderRejected)
    def _rejected(self, event: OrderRejected, fact: Fact) -> None:
        record = _record(event, event.order_id, fact, OrderStatus.REJECTED)
        record.failed_at = event.meta.at
        record.reject_reason = event.reason
        record.bound = event.bound
        self._add(record)

    @on(TradeExecuted)
    def _traded(self, event: TradeExecuted, fact: Fact) -> None:
        for order_id, leaves, fee, liquidity in (
            (
                event.maker_order_id,
                event.maker_leaves,
                event.maker_fee,
                MAKER,
            ),
            (
                event.taker_order_id,
                event.taker_leaves,
                event.taker_fee,
                TAKER,
            ),
        ):
            status = OrderStatus.PARTIALLY_FILLED if leaves else OrderStatus.FILLED
            record = self._change(order_id, status, fact)
            fill = Fill(
                event.trade_id,
                event.price,
                event.quantity,
                fee,
                liquidity,
                event.meta.at,
                fact.position,
            )
            self._fills[fill_field(order_id, record.fills)] = encoded(fill)
            record.fills += 1
            record.filled += event.quantity
            record.filled_notional += event.price * event.quantity
            record.fees += fee
            if not leaves:
                record.filled_at = event.meta.at

    @on(OrderCanceled)
    def _canceled(self, event: OrderCanceled, fact: Fact) -> None:
        record = self._change(event.order_id, OrderStatus.CANCELED, fact)
        record.canceled_at = event.meta.at
        record.cancel_reason = event.reason
        record.note = event.note

    @on(OrderExpired)
    def _expired(self, event: OrderExpired, fact: Fact) -> None:
        record = self._change(event.order_id, OrderStatus.EXPIRED, fact)
        record.expired_at = event.meta.at

    @on(OrderReplaced)
    def _replaced(self, event: OrderReplaced, fact: Fact) -> None:
        at = event.meta.at
        old = self._change(event.order_id, OrderStatus.REPLACED, fact)
        old.replaced_at = at
        old.replaced_by = event.replaced_by
        status = OrderStatus.PARTIALLY_FILLED if event.filled else OrderStatus.NEW
        new = _record(event, event.replaced_by, fact, status)
        new.filled = event.filled
        new.filled_notional = event.filled_notional
        new.replaces = event.order_id
        self._add(new)

    def changes(self) -> list[Change]:
        moves = self._index_moves()
        changes = super().changes()
        if self._client_ids:
            changes.append(PutRows(CLIENT_IDS, self._client_ids))
        if self._fills:
            changes.append(PutRows(FILLS, self._fills))
        self._forget()
        return changes + moves

    def _index_moves(self) -> list[Change]:
        left: dict[str, list[Entry]] = {}
        entered: dict[str, list[Entry]] = {}
        for order_id, before in self._indexed.items():
            record = self._records.get(order_id)
            assert record is not None
            entry = record.submitted_at, index_member(record)
            if before is not None:
                key = index_key(record.account_id, before)
                left.setdefault(key, []).append(entry)
            key = index_key(record.account_id, record.status)
            entered.setdefault(key, []).append(entry)
        changes: list[Change] = [
            RemoveEntries(key, entries) for key, entries in left.items()
        ]
        changes += [AddEntries(key, entries) for key, entries in entered.items()]
        return changes


def _record(
    event: OrderAccepted | OrderRejected | OrderReplaced,
    order_id: OrderId,
    fact: Fact,
    status: OrderStatus,
) -> OrderRecord:
    """Return the record of a new order."""
    return OrderRecord(
        order_id,
        event.client_order_id,
        event.account_id,
        symbol_of(fact.stream),
        event.side,
        event.order_type,
        event.time_in_force,
        event.quantity,
        event.limit_price,
        event.self_trade_prevention,
        status,
        event.meta.at,
        event.meta.at,
        fact.position,
    )
