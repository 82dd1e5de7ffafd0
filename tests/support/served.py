"""The whole HTTP application on memory twins, for tests of the API.

The read models follow the log whenever a query reads one of them. If `follows` is off,
they stand still, as they do while the projector is away.
"""

import asyncio
from collections.abc import AsyncGenerator, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC
from typing import Any, cast

import httpx
from litestar.types import Message

from api.app import create_app
from api.health import Readiness
from api.services import Services
from commands.writer.leadership import WriterState
from commands.writer.writer import Writer
from domain.events.event import Meta
from domain.ids import SYSTEM, LogPosition
from infra.runtime.ids import Identifiers
from infra.security.passwords import Argon2Hasher
from infra.security.security_notes import QueuedSecurityNotes
from infra.security.tokens import SignedTokens
from infra.server.security_recorder import SecurityRecorder
from projections.store import Generation, Read, ReadResult, Request, View
from tests.support import calls
from tests.support.machine import Machine
from tests.support.memory import MemoryEventStore, MemoryKeyTable, memory_vault
from tests.support.memory_store import MemoryStore, MemoryViews
from tests.support.people import Person, signed_up
from tests.support.troubled_store import PATIENCE, TroubledStore
from tests.support.views import live_host


class FollowingViews:
    """`Views` and `AppliedPositions` of a store in memory that follows a log."""

    def __init__(self, log: MemoryEventStore) -> None:
        self.follows = True
        self._log = log
        self._store = MemoryStore()
        self._views = MemoryViews(self._store)
        self._host = live_host(self._store)

    def damage(self, view: View, table: str) -> None:
        """Replace every row of a table by garbage, and stand still from then on."""
        self.catch_up()
        self.follows = False
        rows = self._store.contents(view, self._store.live[view.name]).tables[table]
        rows.update(dict.fromkeys(rows, b"not a row"))

    def restore(self, view: View) -> None:
        """Make the only generation of a view live again."""
        (generation,) = self._store.generations(view)
        self._store.live[view.name] = generation

    def flush(self) -> None:
        """Lose every read model, as a flushed Redis does."""
        self._store.flush()

    def catch_up(self) -> None:
        while self.follows and self.step():
            continue

    def step(self, limit: int = 1_000) -> bool:
        """Follow the log by about `limit` facts, in whole commands."""
        segment = self._log.reader.read(self._host.position, limit)
        if segment.facts:
            self._host.apply(segment)
        return bool(segment.facts)

    async def read(self, view: View, reads: Sequence[Read]) -> ReadResult:
        self.catch_up()
        return await self._views.read(view, reads)

    async def read_at_once(self, requests: Sequence[Request]) -> list[ReadResult]:
        self.catch_up()
        return await self._views.read_at_once(requests)

    async def retire(self, view: View, generation: Generation) -> None:
        await self._views.retire(view, generation)

    async def reach(
        self, position: LogPosition, names: Iterable[str], seconds: float
    ) -> bool:
        """Return at once: nothing else is at work that this could wait for."""
        del names, seconds
        self.catch_up()
        return self._host.position >= position

    async def positions(self) -> dict[str, LogPosition | None]:
        return {each.view.name: each.checkpoint for each in self._host.followed}


class Served:
    """A server in memory, and its clients."""

    def __init__(self) -> None:
        self.machine = Machine()
        self.clock = self.machine.clock()
        self.new_id = Identifiers(self.clock).new
        self.store = TroubledStore()
        self.log = self.store.log
        self.leads = asyncio.Event()
        self.stands_by = asyncio.Event()
        self.writer = Writer(self.store, clock=self.clock, on_state=self._on_state)
        self.views = FollowingViews(self.log)
        self.tokens = SignedTokens(b"a key for tests, 32 bytes long..")
        self.security_notes = QueuedSecurityNotes(self.log.outbox)
        self.recorder = SecurityRecorder(
            self.log.outbox, self.writer.execute, lambda: self.writer.exchange
        )
        self.readiness = Readiness(ready=True, role="leader", dependencies={})
        self.services = Services(
            port=self.writer,
            views=self.views,
            applied=self.views,
            clock=self.clock,
            new_id=self.new_id,
            credentials=self.log.credentials,
            security_notes=self.security_notes,
            vault=memory_vault(MemoryKeyTable()),
            passwords=Argon2Hasher(memory_kib=64, passes=1),
            tokens=self.tokens,
            readiness=self._ready,
            head=self._head,
            metrics=self._metrics,
            market_timezone=UTC,
        )
        self.app = create_app(self.services)
        self._people = 0

    def _on_state(self, state: WriterState) -> None:
        if state is WriterState.LEADER:
            self.leads.set()
        elif state is WriterState.STANDBY:
            self.stands_by.set()

    async def _ready(self) -> Readiness:
        return self.readiness

    async def _metrics(self) -> bytes:
        return b"bourse_leads_total 1.0\n"

    async def _head(self) -> LogPosition:
        return self.log.reader.head()

    async def record_refusals(self) -> None:
        """Record noted refusals, as the tasks of a server do within a second."""
        await self.security_notes.hand_over()
        await self.recorder.drain()

    def system_meta(self) -> Meta:
        """Return the meta of a command by the venue itself."""
        return Meta(self.clock.now(), SYSTEM, self.new_id())

    def client(self, token: str = "") -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(
                cast(Any, self.app), raise_app_exceptions=False
            ),
            base_url="http://bourse.test",
            headers=headers,
        )

    async def in_flight(
        self, answering: Coroutine[Any, Any, httpx.Response]
    ) -> "asyncio.Task[httpx.Response]":
        """Send a request whose commit begins and then waits for the test."""
        self.store.commits.hold()
        task = asyncio.create_task(answering)
        assert await asyncio.to_thread(self.store.commits.arrived.wait, PATIENCE)
        return task

    async def hung_up(self, path: str, body: bytes, token: str) -> Sequence[Message]:
        """Return the answer to a client that hangs up within its body."""
        messages = iter(
            [
                {"type": "http.request", "body": body, "more_body": True},
                {"type": "http.disconnect"},
            ]
        )
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"authorization", f"Bearer {token}".encode())],
        }
        sent: list[Message] = []

        async def receive() -> Any:
            return next(messages)

        async def send(message: Message) -> None:
            sent.append(message)

        await self.app(cast(Any, scope), receive, send)
        return sent

    async def person(self, *, admin: bool = False) -> Person:
        """Return a user who has registered and logged in, with an empty account."""
        self._people += 1
        email = f"person{self._people}@example.org"
        grant = self.system_meta() if admin else None
        return await signed_up(self.client(), email, self.writer.execute, grant)

    async def trader(
        self, *, cash: str = "1000000", shares: int = 10_000, symbol: str = "ACME"
    ) -> Person:
        """Return a user with money and shares of a listed instrument."""
        trader, admin = await self.person(), await self.person(admin=True)
        if symbol not in self.writer.exchange.markets:
            await admin.list_asset(symbol)
        if cash != "0":
            await admin.does(calls.deposit(trader.account_id, cash))
        if shares:
            await admin.does(calls.grant(trader.account_id, symbol, shares, "90"))
        return trader


@asynccontextmanager
async def served() -> AsyncGenerator[Served]:
    server = Served()
    running = asyncio.create_task(server.writer.run())
    await server.leads.wait()
    try:
        yield server
    finally:
        await server.writer.stop()
        with suppress(asyncio.CancelledError):
            await running
