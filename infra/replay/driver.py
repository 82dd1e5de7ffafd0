"""The one driver of a replay: it walks a flow and compares what the exchange does.

Orders of one account that follow each other go out in one call. Fills do not change,
so the driver asks for them after the last command.
"""

from collections.abc import Sequence
from time import perf_counter

import msgspec

from domain.ids import OrderId, Symbol
from domain.money import Price, dollars_a_share
from infra.replay.flow_orders import FlowOrders
from infra.replay.orderflow import (
    Action,
    Cancel,
    Drop,
    Entry,
    ExpectedFill,
    Ioc,
    New,
    Reduce,
    Row,
    Seed,
    Step,
    named,
)
from infra.replay.score import Progress, Report, Score
from infra.replay.venue import ORDERS_MAX, LimitOrder, Refused, Venue

#: The driver reports progress after this many lines.
PROGRESS_LINES = 50


class _Taken(msgspec.Struct, frozen=True):
    """An aggressive order that was placed, and the orders that it should meet."""

    line: int
    ioc: Ioc
    order_id: OrderId
    makers: list[OrderId]


def replay(
    venue: Venue,
    steps: Sequence[tuple[int, Step]],
    *,
    flow: str,
    symbol: Symbol,
    rows_every: int = 1,
    progress: Progress = lambda _: None,
) -> Report:
    """Open a market, send a flow into it, compare its fills and every Nth row.

    Raises:
        ServerRefused, ServerUnreachable, DomainError: the venue could not go on.
    """
    venue.open(_first_price(steps))
    driver = Driver(venue, rows_every)
    started = perf_counter()
    driver.send(steps, progress)
    seconds = perf_counter() - started
    driver.compare()
    return driver.score.report(flow=flow, symbol=symbol, way=venue.way, seconds=seconds)


def _first_price(steps: Sequence[tuple[int, Step]]) -> Price:
    prices = (step.price for _, step in steps if isinstance(step, Seed | New))
    return next(prices, dollars_a_share(100))


def _order(step: Entry | Ioc) -> LimitOrder:
    if isinstance(step, Ioc):
        return LimitOrder(step.side, step.size, step.limit, aggressive=True)
    return LimitOrder(step.side, step.size, step.price, aggressive=False)


class Driver:
    """One flow on its way into its own market."""

    def __init__(self, venue: Venue, rows_every: int = 1) -> None:
        self.score = Score()
        self._venue = venue
        self._rows_every = rows_every
        self._rows = 0
        self._orders = FlowOrders()
        self._waiting: list[tuple[int, Entry | Ioc]] = []
        self._taken: list[_Taken] = []
        self._entered: dict[OrderId, tuple[int, Entry]] = {}

    def send(
        self, steps: Sequence[tuple[int, Step]], progress: Progress = lambda _: None
    ) -> None:
        """Send a flow; return when all of it is durable."""
        for start in range(0, len(steps), PROGRESS_LINES):
            lines = steps[start : start + PROGRESS_LINES]
            for line, step in lines:
                if isinstance(step, Row):
                    self._compare_row(line, step)
                else:
                    self._carry_out(line, step)
            progress(len(lines))
        self._place()
        self._venue.finish()

    def _compare_row(self, line: int, row: Row) -> None:
        self._rows += 1
        if self._rows % self._rows_every:
            return
        if self._waiting:
            self._place()
        asks, bids = self._venue.top(row.depth)
        self.score.row(line, row, asks=asks, bids=bids)

    def _carry_out(self, line: int, step: Action) -> None:
        self.score.commands += 1
        match step:
            case Seed() | New() | Ioc():
                self._wait(line, step)
            case Reduce():
                self._place()
                self._reduce(line, step)
            case Cancel() | Drop():
                self._place()
                self._cancel(line, step)

    # --- orders, many in one call ---

    def _wait(self, line: int, step: Entry | Ioc) -> None:
        """Keep an order for the next call."""
        if self._waiting:
            _, first = self._waiting[0]
            same_account = isinstance(first, Ioc) is isinstance(step, Ioc)
            if not same_account or len(self._waiting) == ORDERS_MAX:
                self._place()
        self._waiting.append((line, step))

    def _place(self) -> None:
        """Send the orders that wait, ahead of whatever comes next."""
        if not self._waiting:
            return
        batch, self._waiting = self._waiting, []
        placed = self._venue.place([_order(step) for _, step in batch])
        for (line, step), outcome in zip(batch, placed, strict=True):
            if isinstance(step, Ioc):
                self._taker_placed(line, step, outcome)
            elif isinstance(outcome, Refused):
                self._refused(line, step, outcome)
            else:
                self._orders.enter(step.flow_id, outcome, step.size)
                self._entered[outcome] = line, step

    def _taker_placed(self, line: int, ioc: Ioc, outcome: OrderId | Refused) -> None:
        makers = [self._orders.order_id(fill.maker) for fill in ioc.fills]
        self._orders.fill(ioc.fills)
        if isinstance(outcome, Refused):
            self._refused(line, ioc, outcome)
            return
        known = [maker for maker in makers if maker is not None]
        self._taken.append(_Taken(line, ioc, outcome, known))

    # --- changes of one order ---

    def _reduce(self, line: int, step: Reduce) -> None:
        order_id = self._orders.order_id(step.flow_id)
        total = self._orders.reduced(step)
        if order_id is None or not total:
            self._cancel(line, step)
            return
        outcome = self._venue.replace(order_id, total)
        if isinstance(outcome, Refused):
            self._refused(line, step, outcome)
        else:
            self._orders.replaced(step.flow_id, outcome, total)

    def _cancel(self, line: int, step: Reduce | Cancel | Drop) -> None:
        order_id = self._orders.remove(step.flow_id)
        if order_id is None:
            outcome = Refused("no such order is open")
        else:
            outcome = self._venue.cancel(order_id)
        if outcome is not None:
            self._refused(line, step, outcome)

    def _refused(self, line: int, step: Action, refused: Refused) -> None:
        self.score.refusal(line, f"{named(step)}: {refused.reason}")

    # --- the outcome ---

    def compare(self) -> None:
        """Compare what became of the orders with the recording.

        A resting order rests whole. An aggressive one has the recorded fills.
        """
        for order_id, resting in self._venue.not_resting().items():
            self.score.not_resting(*self._entered[order_id], resting)
        for order in self._taken:
            fills = [
                ExpectedFill(
                    self._orders.flow_id(fill.maker) or 0, fill.size, fill.price
                )
                for fill in self._venue.fills(order.order_id, order.makers)
            ]
            self.score.fills_of(order.line, order.ioc, fills)
