"""A writer that a test starts and stops, and ordinary commands for it."""

import asyncio

from benchmarks.opening import list_instrument, listing, open_account
from commands.answers import Answer
from commands.keys import content_digest
from commands.messages import Command, HaltMarket, PlaceOrder
from commands.ports import SnapshotStore
from commands.writer.batch import Pending
from commands.writer.leadership import WriterState
from commands.writer.writer import Writer
from domain.events.event import Meta
from infra.runtime.clock import SystemClock
from tests.support.spec import AT
from tests.support.tickets import ticket
from tests.support.troubled_store import PATIENCE, TroubledStore


def keyed_halt(reason: str = "news") -> HaltMarket:
    """Return a command that halts ACME, with an `Idempotency-Key`."""
    digest = content_digest(reason)
    meta = Meta(AT, "tester", f"halt-{reason}", key="key", digest=digest)
    return HaltMarket(meta, "ACME", reason)


class Server:
    """One writer that a test starts and stops, and its commands."""

    def __init__(
        self, store: TroubledStore, snapshots: SnapshotStore | None = None
    ) -> None:
        self.store = store
        self.states: list[WriterState] = []
        self._changed = asyncio.Event()
        self.writer = Writer(
            store,
            snapshots,
            clock=SystemClock(),
            queue_limit=100,
            on_state=self._on_state,
        )
        self._task: asyncio.Task[None] | None = None
        self._number = 0

    def _on_state(self, state: WriterState) -> None:
        self.states.append(state)
        self._changed.set()

    def start(self) -> None:
        self._task = asyncio.create_task(self.writer.run())

    async def becomes(self, state: WriterState) -> None:
        """Wait until the writer is in a state."""
        while self.writer.state is not state:
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), PATIENCE)

    async def stop(self) -> None:
        self.store.commits.let_go()
        await self.writer.stop()
        if self._task is not None:
            await asyncio.wait_for(self._task, PATIENCE)
            self._task = None

    # --- commands ---

    def meta(self) -> Meta:
        self._number += 1
        return Meta(AT + self._number, "tester", f"command-{self._number}")

    async def open(self) -> None:
        """List ACME and give alice an account with 10,000 dollars."""
        await self.writer.execute(list_instrument(self.meta, listing()))
        for command in open_account(self.meta, "alice", "user", cash=100_000_000):
            await self.writer.execute(command)

    def order(self, number: int, *, price: int = 10_000) -> PlaceOrder:
        """Return a command to buy a share at 1.00, as order `number`."""
        name = f"order-{number}"
        terms = ticket(
            order_id=name, client_order_id=name, quantity=1, limit_price=price
        )
        return PlaceOrder(self.meta(), terms)

    def halt(self) -> HaltMarket:
        return HaltMarket(self.meta(), "ACME", "news")

    def send(self, command: Command) -> "asyncio.Task[Answer]":
        """Submit a command, without waiting until it is durable."""
        return asyncio.create_task(self.writer.execute(command))

    async def in_flight(self, command: Command) -> "asyncio.Task[Answer]":
        """Send a command whose commit begins and then waits for the test."""
        self.store.commits.hold()
        sent = self.send(command)
        assert await asyncio.to_thread(self.store.commits.arrived.wait, PATIENCE)
        return sent

    def submit(self, command: Command) -> Pending:
        return self.writer.submit(command)
