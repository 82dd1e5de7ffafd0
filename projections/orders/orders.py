"""The record of every order, and the fold that updates it.

A record moves through the states of `domain.market.order.TRANSITIONS`. A replacement
is another order, which carries over the fills of the replaced order.
"""

from typing import ClassVar, TypeAlias

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

VIEW = View("orders", layout=2)
RECORDS = "records"
CLIENT_IDS = "client_ids"
FILLS = "fills"
INSTRUMENTS = "instruments"
MAKER, TAKER = Liquidity.MAKER, Liquidity.TAKER
#: Of an account's instruments, so many are listed from their own collections alone.
LISTED_SINGLY = 8
#: No symbol has this character.
EVERY_OTHER = Symbol("*")
#: A collection and a member.
Place: TypeAlias = tuple[str, str]


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


class Instruments(msgspec.Struct, array_like=True):
    """The instruments in which an account has ordered, numbered from 0."""

    numbers: dict[Symbol, int] = {}


def open_key(account_id: AccountId, status: OrderStatus) -> str:
    """Return the name of the collection of an account's open orders in one status.

    A member has side and symbol after the order id, so that a listing can skip it.
    """
    return "open:" + account_id + ":" + status


def closed_key(
    account_id: AccountId, status: OrderStatus, side: Side, symbol: Symbol = EVERY_OTHER
) -> str:
    """Return the name of a collection of closed orders; a member is an order id.

    There is one for each thing to filter by: no listing skips closed orders, which may
    be millions. `EVERY_OTHER` names the collection of the instruments from number
    `LISTED_SINGLY` on, so that a listing of all instruments reads few collections.
    """
    return "closed:" + account_id + ":" + status + ":" + side + ":" + symbol


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
        self._instruments = Rows(INSTRUMENTS, Instruments)
        super().__init__(self._records, self._instruments)
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
        account_id, symbol = record.account_id, record.symbol
        known = self._instruments.get(account_id) or Instruments()
        if symbol not in known.numbers:
            known.numbers[symbol] = len(known.numbers)
            self._instruments.put(account_id, known)
        field = client_id_field(account_id, record.client_order_id)
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
        self._instruments.want(event.maker_account_id)
        self._instruments.want(event.taker_account_id)

    @needs(OrderCanceled, OrderExpired, OrderReplaced)
    def _touches(
        self, event: OrderCanceled | OrderExpired | OrderReplaced, _fact: Fact
    ) -> None:
        self._records.want(event.order_id)
        self._instruments.want(event.account_id)

    @needs(OrderAccepted, OrderRejected)
    def _begins(self, event: OrderAccepted | OrderRejected, _fact: Fact) -> None:
        self._instruments.want(event.account_id)

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
            if before is not None:
                for key, member in self._places(record, before):
                    left.setdefault(key, []).append((record.submitted_at, member))
            for key, member in self._places(record, record.status):
                entered.setdefault(key, []).append((record.submitted_at, member))
        changes: list[Change] = [
            RemoveEntries(key, entries) for key, entries in left.items()
        ]
        changes += [AddEntries(key, entries) for key, entries in entered.items()]
        return changes

    def _places(self, record: OrderRecord, status: OrderStatus) -> list[Place]:
        """Return where the index has an order in this status."""
        order_id, account_id, side = record.order_id, record.account_id, record.side
        symbol = record.symbol
        if TRANSITIONS[status]:
            member = order_id + " " + side + " " + symbol
            return [(open_key(account_id, status), member)]
        places: list[Place] = [
            (closed_key(account_id, status, side, symbol), order_id),
        ]
        known = self._instruments.get(account_id)
        assert known is not None, account_id
        if known.numbers[symbol] >= LISTED_SINGLY:
            places.append((closed_key(account_id, status, side), order_id))
        return places


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
