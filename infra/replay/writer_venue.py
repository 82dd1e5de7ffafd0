"""The venue of a replay in this process: a writer on a real log, without a server."""

from collections.abc import Mapping, Sequence

from commands.messages import (
    CancelOrder,
    CapOpenOrders,
    Deposit,
    GrantShares,
    ListAsset,
    PlaceOrder,
    Register,
    ReplaceOrder,
)
from domain.accounts.wallet import OPEN_ORDERS_MAX
from domain.events.event import Meta
from domain.events.market import OrderAccepted, TradeExecuted
from domain.events.register import AnyEvent
from domain.ids import AccountId, CommandId, OrderId, Symbol, UserId
from domain.listing import Listing
from domain.market.order import Replacement, Ticket
from domain.money import NO_SHARES, Money, Price, Quantity
from domain.vocabulary import OrderType, TimeInForce
from infra.replay.decisions import Decisions
from infra.replay.orderflow import Levels
from infra.replay.venue import Fill, LimitOrder, Refused, Way
from infra.runtime.clock import SystemClock
from infra.runtime.ids import Identifiers

#: The actor of all commands of a replay.
ACTOR = UserId("replay")
TICK = Price(100)
PLENTY_OF_CASH = Money(10**17)
PLENTY_OF_SHARES = Quantity(10**9)


class WriterVenue:
    """A new market of the writer, and the new accounts of a maker and a taker."""

    way: Way = "in-process"

    def __init__(self, decisions: Decisions, symbol: Symbol) -> None:
        self._decisions = decisions
        self._symbol = symbol
        self._clock = SystemClock()
        self._ids = Identifiers(self._clock)
        self._maker: AccountId = self._ids.new()
        self._taker: AccountId = self._ids.new()
        self._fills: dict[OrderId, list[Fill]] = {}
        self._not_resting: dict[OrderId, Quantity] = {}

    def open(self, reference_price: Price) -> None:
        listing = Listing(
            symbol=self._symbol,
            asset_id=self._ids.new(),
            name=f"Replay {self._symbol}",
            exchange="NASDAQ",
            tick_size=TICK,
            lot_size=Quantity(1),
            reference_price=reference_price,
        )
        self._decisions.execute(ListAsset(self._meta(), listing, ""))
        self._fund(self._maker)
        self._fund(self._taker)

    def _fund(self, account: AccountId) -> None:
        user = self._ids.new()
        register = Register(self._meta(), user, account, self._ids.new(), "", "", "")
        deposit = Deposit(self._meta(), account, PLENTY_OF_CASH, "replay")
        shares = GrantShares(
            self._meta(), account, self._symbol, PLENTY_OF_SHARES, TICK, "r"
        )
        cap = CapOpenOrders(self._meta(), account, OPEN_ORDERS_MAX)
        for command in (register, deposit, shares, cap):
            self._decisions.execute(command)

    def _meta(self, command_id: CommandId | None = None) -> Meta:
        # As in the API, a command that makes an order has the id of that order.
        return Meta(self._clock.now(), ACTOR, command_id or self._ids.new())

    def place(self, orders: Sequence[LimitOrder]) -> Sequence[OrderId | Refused]:
        return [self._place(order) for order in orders]

    def _place(self, order: LimitOrder) -> OrderId | Refused:
        order_id = self._ids.new()
        account = self._taker if order.aggressive else self._maker
        ticket = Ticket(
            order_id,
            order_id,
            account,
            self._symbol,
            order.side,
            OrderType.LIMIT,
            TimeInForce.IOC if order.aggressive else TimeInForce.GTC,
            order.quantity,
            order.limit,
        )
        command = PlaceOrder(self._meta(order_id), ticket)

        def keep_fills(facts: Sequence[AnyEvent]) -> None:
            self._fills[order_id] = _fills_of(facts)

        def keep_rest(facts: Sequence[AnyEvent]) -> None:
            resting = _resting(facts)
            if resting != order.quantity:
                self._not_resting[order_id] = resting

        keep = keep_fills if order.aggressive else keep_rest
        return self._decisions.decide(command, keep) or order_id

    def cancel(self, order_id: OrderId) -> Refused | None:
        meta = self._meta()
        return self._decisions.decide(CancelOrder(meta, self._maker, order_id))

    def replace(self, order_id: OrderId, quantity: Quantity) -> OrderId | Refused:
        new_id = self._ids.new()
        command = ReplaceOrder(
            self._meta(new_id),
            self._maker,
            order_id,
            Replacement(new_id, new_id, quantity),
        )
        return self._decisions.decide(command) or new_id

    def top(self, depth: int) -> tuple[Levels, Levels]:
        return self._decisions.top(self._symbol, depth)

    def finish(self) -> None:
        self._decisions.finish()

    def not_resting(self) -> Mapping[OrderId, Quantity]:
        return self._not_resting

    def fills(self, order_id: OrderId, makers: Sequence[OrderId]) -> Sequence[Fill]:
        del makers  # The facts name them.
        return self._fills[order_id]


def _fills_of(facts: Sequence[AnyEvent]) -> list[Fill]:
    return [
        Fill(fact.maker_order_id, fact.quantity, fact.price)
        for fact in facts
        if isinstance(fact, TradeExecuted)
    ]


def _resting(facts: Sequence[AnyEvent]) -> Quantity:
    """Return the quantity with which an order entered the book."""
    accepted = (fact for fact in facts if isinstance(fact, OrderAccepted))
    return next((fact.resting for fact in accepted), NO_SHARES)
