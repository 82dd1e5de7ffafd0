"""A leader whose slices have three orders, and what its log says about them."""

import asyncio
from collections.abc import Sequence

import pytest

from benchmarks.opening import open_account
from commands.answers import Answer
from commands.handlers import slices
from commands.keys import content_digest
from commands.messages import (
    CancelAllOrders,
    GrantShares,
    PlaceOrder,
    RollDay,
)
from commands.ports import LogWriter
from commands.state import frozen
from commands.state.exchange import Exchange
from domain.errors import (
    DomainError,
)
from domain.events.event import Meta
from domain.events.market import (
    OrderCanceled,
)
from domain.events.register import Recorded
from domain.ids import LogPosition
from domain.vocabulary import OrderStatus, Side, TimeInForce
from tests.support.tickets import ticket
from tests.support.troubled_store import Trouble, TroubledStore
from tests.support.writers import Server

#: Alice's open orders: four slices of three.
ORDERS = 10
NAMES = [f"order-{number}" for number in range(ORDERS)]


class LosingStore(TroubledStore):
    """A store that loses one append: the one before which `left` others pass."""

    left = -1
    fate = Trouble.LOST

    def append(
        self, log: LogWriter, events: Sequence[Recorded], rows: Sequence[object] = ()
    ) -> LogPosition:
        if self.left == 0:
            self.trouble = self.fate
        self.left -= 1
        return super().append(log, events, rows)


def few_in_a_slice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a slice end three orders, and look at four."""
    monkeypatch.setattr(slices, "ENDED_MAX", 3)
    monkeypatch.setattr(slices, "SEEN_MAX", 4)


async def open_with_orders(server: Server) -> None:
    """Give alice ten open orders and shares, and bob cash and shares."""
    for command in (
        GrantShares(server.meta(), "alice", "ACME", 100, 10_000, "opening"),
        *open_account(server.meta, "bob", "user-2", cash=10_000_000),
        GrantShares(server.meta(), "bob", "ACME", 100, 10_000, "opening"),
    ):
        await server.writer.execute(command)
    for number in range(ORDERS):
        await server.writer.execute(order(server, number))


def order(server: Server, number: int, **terms: object) -> PlaceOrder:
    """Return alice's order: the even ones buy at 1.00, the odd ones sell at 3.00."""
    name = f"order-{number}"
    is_sell = number % 2
    usual: dict[str, object] = {
        "order_id": name,
        "client_order_id": name,
        "quantity": 1,
        "side": Side.SELL if is_sell else Side.BUY,
        "limit_price": 30_000 if is_sell else 10_000,
        "time_in_force": TimeInForce.DAY,
    }
    return PlaceOrder(server.meta(), ticket(**{**usual, **terms}))


def cancel_all(server: Server, key: str | None = None) -> CancelAllOrders:
    meta = server.meta()
    if key is not None:
        digest = content_digest("cancel-all")
        meta = Meta(meta.at, meta.actor, meta.command_id, None, key, digest)
    return CancelAllOrders(meta, "alice")


def roll(server: Server, day: str = "2026-01-02") -> RollDay:
    return RollDay(server.meta(), "ACME", day)


def canceled(answer: Answer) -> list[str]:
    return sorted(
        each.event.order_id
        for each in answer.facts
        if isinstance(each.event, OrderCanceled)
    )


def status(exchange: Exchange, name: str) -> OrderStatus:
    return exchange.orders.accounts["alice"].entries[name].status


def open_ones(exchange: Exchange) -> list[str]:
    return [
        name
        for name, entry in exchange.orders.accounts["alice"].entries.items()
        if entry.status is OrderStatus.NEW
    ]


def kinds(server: Server) -> list[type]:
    return [type(each.event) for each in server.store.reader.read(0, 10_000).facts]


def assert_replayed(server: Server) -> None:
    """Assert that the log replays to the state of the leader, at every prefix too."""
    facts = server.store.reader.read(0, 10_000).facts
    replayed = Exchange()
    for fact in facts:
        replayed.replay([fact])
        middle = frozen.load(frozen.dump(replayed))
        for stream, aggregate in replayed.streams.items():
            assert middle.streams[stream].freeze() == aggregate.freeze()
    assert list(frozen.dump(replayed)) == list(frozen.dump(server.writer.exchange))


async def outcome(sent: "asyncio.Task[Answer]") -> Answer | DomainError:
    try:
        return await sent
    except DomainError as refusal:
        return refusal
