"""How well the exchange agreed with a recorded order flow, and where it did not."""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec

from domain.ids import OrderId
from domain.money import Quantity, text
from infra.replay.orderflow import ExpectedFill, FlowId, Ioc, Levels, Reduce, Row

#: Called with the number of lines that are done since the last call.
Progress: TypeAlias = Callable[[int], None]
Way: TypeAlias = Literal["http", "in-process"]

#: So many mismatches are told in full; all are counted.
TOLD_MAX = 20


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay found. `exact` says that everything agreed."""

    flow: str
    symbol: str
    way: Way
    commands: int
    aggressive_orders: int
    aggressive_orders_exact: int
    fills: int
    fills_exact: int
    rows: int
    rows_exact: int
    refusals: int
    exact: bool
    seconds: float
    commands_per_second: int
    mismatches: list[str]


class Score:
    """Counts what agrees and keeps what does not."""

    def __init__(self) -> None:
        self.commands = 0
        self.aggressive_orders = 0
        self.aggressive_orders_exact = 0
        self.fills = 0
        self.fills_exact = 0
        self.rows = 0
        self.rows_exact = 0
        self.refusals = 0
        self.mismatches: list[str] = []

    def fills_of(self, line: int, ioc: Ioc, found: Sequence[ExpectedFill]) -> None:
        """Compare the fills of an aggressive order: makers, sizes, prices, order."""
        self.aggressive_orders += 1
        self.fills += len(ioc.fills)
        self.fills_exact += sum(
            here == there for here, there in zip(ioc.fills, found, strict=False)
        )
        if tuple(found) == ioc.fills:
            self.aggressive_orders_exact += 1
        else:
            self._note(
                f"line {line}: fills should be {_fills(ioc.fills)}, "
                f"but are {_fills(found)}"
            )

    def row(self, line: int, row: Row, *, asks: Levels, bids: Levels) -> None:
        """Compare the best levels of the book, of which as many are given."""
        self.rows += 1
        if asks == row.asks and bids == row.bids:
            self.rows_exact += 1
            return
        self._note(
            f"line {line}: asks should be {_levels(row.asks)}, but are "
            f"{_levels(asks)}; bids should be {_levels(row.bids)}, but are "
            f"{_levels(bids)}"
        )

    def refusal(self, line: int, what: str) -> None:
        self.refusals += 1
        self._note(f"line {line}: {what}")

    def _note(self, mismatch: str) -> None:
        if len(self.mismatches) < TOLD_MAX:
            self.mismatches.append(mismatch)

    @property
    def exact(self) -> bool:
        return (
            self.aggressive_orders == self.aggressive_orders_exact
            and self.rows == self.rows_exact
            and not self.refusals
        )

    def report(self, *, flow: str, symbol: str, way: Way, seconds: float) -> Report:
        return Report(
            flow=flow,
            symbol=symbol,
            way=way,
            commands=self.commands,
            aggressive_orders=self.aggressive_orders,
            aggressive_orders_exact=self.aggressive_orders_exact,
            fills=self.fills,
            fills_exact=self.fills_exact,
            rows=self.rows,
            rows_exact=self.rows_exact,
            refusals=self.refusals,
            exact=self.exact,
            seconds=round(seconds, 3),
            commands_per_second=round(self.commands / seconds) if seconds else 0,
            mismatches=self.mismatches,
        )


def _fills(fills: Sequence[ExpectedFill]) -> str:
    told = [f"{f.size} at {text(f.price)} of order {f.maker}" for f in fills]
    return f"[{', '.join(told)}]"


def _levels(levels: Levels) -> str:
    return f"[{', '.join(f'{size} at {text(price)}' for price, size in levels)}]"


class Standing(msgspec.Struct):
    """An order of the flow as it stands here. A reduction gives it a new id."""

    order_id: OrderId
    quantity: Quantity
    filled: Quantity = 0


class FlowOrders:
    """Which orders of the flow are open, under which id, with which total."""

    def __init__(self) -> None:
        self._open: dict[FlowId, Standing] = {}
        self._flow_ids: dict[OrderId, FlowId] = {}

    def enter(self, flow_id: FlowId, order_id: OrderId, quantity: Quantity) -> None:
        self._open[flow_id] = Standing(order_id, quantity)
        self._flow_ids[order_id] = flow_id

    def order_id(self, flow_id: FlowId) -> OrderId | None:
        standing = self._open.get(flow_id)
        return None if standing is None else standing.order_id

    def flow_id(self, order_id: OrderId) -> FlowId | None:
        """The flow's name of an order, also after it ended."""
        return self._flow_ids.get(order_id)

    def remove(self, flow_id: FlowId) -> OrderId | None:
        standing = self._open.pop(flow_id, None)
        return None if standing is None else standing.order_id

    def reduced(self, reduce: Reduce) -> Quantity:
        """The new total quantity of an order; 0 if nothing would be left of it."""
        standing = self._open.get(reduce.flow_id)
        if standing is None:
            return 0
        total = standing.quantity - reduce.size
        return total if total > standing.filled else 0

    def replaced(self, flow_id: FlowId, order_id: OrderId, total: Quantity) -> None:
        standing = self._open[flow_id]
        standing.order_id = order_id
        standing.quantity = total
        self._flow_ids[order_id] = flow_id

    def fill(self, fills: Sequence[ExpectedFill]) -> None:
        """Take in what a recorded aggressive order filled."""
        for fill in fills:
            standing = self._open.get(fill.maker)
            if standing is not None:
                standing.filled += fill.size
                if standing.filled >= standing.quantity:
                    del self._open[fill.maker]
