"""A recorded order flow sent through the writer of this process, on a real log.

Submitting carries a command out in memory at once, so the book is compared at each
recorded row; that it became durable is awaited in groups, many commands to one commit.
"""

from collections import deque
from collections.abc import Sequence
from time import perf_counter

from commands.batch import Pending
from commands.messages import (
    CancelOrder,
    Command,
    Deposit,
    GrantShares,
    ListAsset,
    PlaceOrder,
    Register,
    ReplaceOrder,
)
from commands.ports import EventStore
from commands.writer import Writer
from domain.errors import DomainError
from domain.events.event import Meta
from domain.events.market import TradeExecuted
from domain.events.register import Recorded
from domain.ids import AccountId, OrderId, Symbol
from domain.listing import Listing
from domain.market import Market
from domain.order import Replacement, Ticket
from domain.price_levels import BookSide
from domain.vocabulary import OrderType, Side, TimeInForce
from infra.access.temporary_writer import own_writer
from infra.replay.orderflow import (
    Cancel,
    Drop,
    Entry,
    ExpectedFill,
    FlowId,
    Ioc,
    Levels,
    New,
    Reduce,
    Row,
    Seed,
    Step,
    named,
)
from infra.replay.score import FlowOrders, Progress, Report, Score
from infra.runtime.clock import SystemClock
from infra.runtime.ids import Identifiers

#: Commands that are submitted before the answers of earlier ones are awaited.
GROUP = 500
TICK = 100
PLENTY_OF_CASH = 10**17
PLENTY_OF_SHARES = 10**9


async def replay_through_writer(
    store: EventStore,
    steps: Sequence[tuple[int, Step]],
    *,
    flow: str,
    symbol: Symbol,
    progress: Progress = lambda _: None,
) -> Report:
    """Send a flow and compare every fill and every row."""
    async with own_writer(store) as writer:
        replay = WriterReplay(writer, symbol)
        await replay.open()
        started = perf_counter()
        await replay.send(steps, progress)
        seconds = perf_counter() - started
    return replay.score.report(
        flow=flow, symbol=symbol, way="in-process", seconds=seconds
    )


class WriterReplay:
    """One flow on its way through a writer, into a market of its own."""

    def __init__(self, writer: Writer, symbol: Symbol) -> None:
        self.score = Score()
        self._writer = writer
        self._symbol = symbol
        self._clock = SystemClock()
        self._ids = Identifiers(self._clock)
        self._maker: AccountId = self._ids.new()
        self._taker: AccountId = self._ids.new()
        self._orders = FlowOrders()
        self._waiting: deque[tuple[int, Ioc | None, Pending]] = deque()

    async def open(self) -> None:
        """List the market and fund a maker and a taker."""
        for command in self._opening():
            await self._writer.execute(command)

    def _meta(self, actor: str = "replay") -> Meta:
        return Meta(self._clock.now(), actor, self._ids.new())

    def _opening(self) -> list[Command]:
        commands: list[Command] = [
            ListAsset(self._meta(), _listing(self._symbol, self._ids.new()), "")
        ]
        for account in (self._maker, self._taker):
            user = self._ids.new()
            commands += [
                Register(self._meta(), user, account, self._ids.new(), "", "", ""),
                Deposit(self._meta(), account, PLENTY_OF_CASH, "replay"),
                GrantShares(
                    self._meta(), account, self._symbol, PLENTY_OF_SHARES, TICK, "r"
                ),
            ]
        return commands

    async def send(self, steps: Sequence[tuple[int, Step]], progress: Progress) -> None:
        for start in range(0, len(steps), GROUP):
            group = steps[start : start + GROUP]
            for line, step in group:
                self._take(line, step)
            # Those of the group before are committed while this one was submitted.
            await self._answers(GROUP)
            progress(len(group))
        await self._answers(0)

    def _take(self, line: int, step: Step) -> None:
        if isinstance(step, Row):
            self._compare(line, step)
            return
        self.score.commands += 1
        command = self._command(step)
        if command is None:
            self.score.refusal(line, f"{named(step)}: no such order is open")
            return
        try:
            pending = self._writer.submit(command)
            # It is decided, though the commit that it rests on is still on its way.
            if pending.refusal is not None:
                raise pending.refusal
        except DomainError as refusal:
            self.score.refusal(line, f"{named(step)}: {refusal}")
            return
        self._waiting.append((line, step if isinstance(step, Ioc) else None, pending))

    def _command(self, step: Step) -> Command | None:
        match step:
            case Seed() | New():
                return self._enter(step)
            case Ioc():
                self._orders.fill(step.fills)
                ticket = self._ticket(
                    self._ids.new(), self._taker, step.side, step.size, step.limit
                )
                return PlaceOrder(self._meta(self._taker), ticket)
            case Reduce():
                return self._reduce(step)
            case Cancel() | Drop():
                return self._cancel(step.flow_id)
            case Row():
                return None

    def _enter(self, entry: Entry) -> Command:
        order_id = self._ids.new()
        self._orders.enter(entry.flow_id, order_id, entry.size)
        ticket = self._ticket(
            order_id, self._maker, entry.side, entry.size, entry.price
        )
        return PlaceOrder(self._meta(self._maker), ticket)

    def _ticket(
        self, order_id: OrderId, account: AccountId, side: Side, size: int, price: int
    ) -> Ticket:
        resting = account == self._maker
        return Ticket(
            order_id,
            order_id,
            account,
            self._symbol,
            side,
            OrderType.LIMIT,
            TimeInForce.GTC if resting else TimeInForce.IOC,
            size,
            price,
        )

    def _reduce(self, step: Reduce) -> Command | None:
        total = self._orders.reduced(step)
        if not total:
            return self._cancel(step.flow_id)
        old, new = self._orders.order_id(step.flow_id), self._ids.new()
        assert old is not None
        self._orders.replaced(step.flow_id, new, total)
        return ReplaceOrder(
            self._meta(self._maker), self._maker, old, Replacement(new, new, total)
        )

    def _cancel(self, flow_id: FlowId) -> Command | None:
        order_id = self._orders.remove(flow_id)
        if order_id is None:
            return None
        return CancelOrder(self._meta(self._maker), self._maker, order_id)

    def _compare(self, line: int, row: Row) -> None:
        market: Market = self._writer.exchange.market(self._symbol)
        self.score.row(
            line,
            row,
            asks=_best(market.book.asks, row.depth),
            bids=_best(market.book.bids, row.depth),
        )

    async def _answers(self, leave: int) -> None:
        while len(self._waiting) > leave:
            line, ioc, pending = self._waiting.popleft()
            answer = await pending.answer()
            if ioc is not None:
                self.score.fills_of(line, ioc, self._fills(answer.facts))

    def _fills(self, facts: Sequence[Recorded]) -> list[ExpectedFill]:
        return [
            ExpectedFill(
                self._orders.flow_id(event.maker_order_id) or 0,
                event.quantity,
                event.price,
            )
            for event in (recorded.event for recorded in facts)
            if isinstance(event, TradeExecuted)
        ]


def _best(side: BookSide, depth: int) -> Levels:
    keys = reversed(side.keys[-depth:])
    return tuple((side.sign * key, side.levels[key].quantity) for key in keys)


def _listing(symbol: Symbol, asset_id: str) -> Listing:
    return Listing(
        symbol=symbol,
        asset_id=asset_id,
        name=f"Replay {symbol}",
        exchange="NASDAQ",
        tick_size=TICK,
        lot_size=1,
        reference_price=TICK,
    )
