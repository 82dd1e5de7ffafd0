"""The whole API works with a writer in another process.

The API cannot reach that writer's memory. Every route that sends a command succeeds at
least once, and refusals keep their status and code on their way through the pipe.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC
from typing import Any, cast

import httpx
import pytest
from litestar import Litestar

from api.app import create_app
from api.health import Readiness
from api.services import Services
from domain.events.event import Meta
from domain.ids import SYSTEM, LogPosition
from infra.log.event_store import PostgresEventStore
from infra.runtime.ids import Identifiers
from infra.security.credentials import PostgresCredentials
from infra.security.passwords import Argon2Hasher
from infra.security.security_notes import QueuedSecurityNotes
from infra.security.security_outbox import PostgresSecurityOutbox
from infra.security.tokens import SignedTokens
from tests.support.calls import deposit, grant, halt, order
from tests.support.machine import Machine
from tests.support.memory import MemoryKeyTable, memory_vault
from tests.support.people import Person, signed_up
from tests.support.piped_port import PipedPort, piped_port
from tests.support.served import FollowingViews

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


class Recorder:
    """An ASGI application that records which operations succeeded."""

    def __init__(self, app: Litestar) -> None:
        self.app = app
        self.succeeded: set[tuple[str, str]] = set()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def note(message: Any) -> None:
            if message["type"] == "http.response.start" and message["status"] < 400:
                template = scope.get("path_template") or scope["path"]
                self.succeeded.add((scope["method"], template))
            await send(message)

        await self.app(scope, receive, note)


class Across:
    """The API in this process, with a writer on Postgres in another process."""

    def __init__(self, port: PipedPort, store: PostgresEventStore) -> None:
        self.port = port
        self._store = store
        self.machine = Machine()
        self.clock = self.machine.clock()
        self.new_id = Identifiers(self.clock).new
        self.views = FollowingViews(cast(Any, store))
        services = Services(
            port=port,
            views=self.views,
            applied=self.views,
            clock=self.clock,
            new_id=self.new_id,
            credentials=PostgresCredentials(store.datastore),
            security_notes=QueuedSecurityNotes(PostgresSecurityOutbox(store.datastore)),
            vault=memory_vault(MemoryKeyTable()),
            passwords=Argon2Hasher(memory_kib=64, passes=1),
            tokens=SignedTokens(b"a key for tests, 32 bytes long.."),
            readiness=self._ready,
            head=self._head,
            metrics=self._metrics,
            market_timezone=UTC,
        )
        self.api = create_app(services)
        self.recorder = Recorder(self.api)
        self._people = 0

    async def _ready(self) -> Readiness:
        return Readiness(ready=True, role="leader", dependencies={})

    async def _metrics(self) -> bytes:
        return b""

    async def _head(self) -> LogPosition:
        return await asyncio.to_thread(self._store.reader.head)

    async def person(self, *, admin: bool = False) -> Person:
        """Register a user and log the user in."""
        self._people += 1
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(cast(Any, self.recorder)),
            base_url="http://bourse.test",
        )
        email = f"person{self._people}@example.org"
        grant = Meta(self.clock.now(), SYSTEM, self.new_id()) if admin else None
        return await signed_up(client, email, self.port.execute, grant)


@pytest.fixture
async def across(database_url: str) -> AsyncGenerator[Across]:
    async with piped_port(database_url) as port:
        with PostgresEventStore(database_url) as store:
            yield Across(port, store)


async def test_every_command_of_the_api_passes_the_port(across: Across):
    admin, ada, bob = [
        await across.person(admin=first) for first in (True, False, False)
    ]
    await list_and_fund(admin, (ada, bob))
    await trade(ada, bob)
    await end(admin, ada, bob)
    await confirm_clock(admin, across.machine)

    assert writing_routes(across.api) - across.recorder.succeeded == set()


async def list_and_fund(admin: Person, traders: Sequence[Person]) -> None:
    await admin.list_asset()
    changed = await admin.sends("PATCH", "/v2/admin/assets/ACME", {"name": "Other"})
    assert changed["name"] == "Other"
    for each in traders:
        await admin.does(deposit(each.account_id, "100000"))
        await admin.does(grant(each.account_id, "ACME", 1_000, "90"))
        limits = {"max_open_orders": 500}
        path = f"/v2/admin/accounts/{each.account_id}/limits"
        assert (await admin.sends("PUT", path, limits))["max_open_orders"] == 500
    role = {"role": "admin"}
    path = f"/v2/admin/users/{traders[1].user_id}/roles"
    assert (await admin.sends("POST", path, role))["roles"] == ["trader", "admin"]
    window = await admin.sends("PATCH", "/v2/admin/memory-window", {"own_max": 5})
    assert await admin.gets("/v2/admin/memory-window") == window
    halted = await admin.does(halt())
    assert halted["halted"]
    assert not (await admin.sends("POST", "/v2/admin/assets/ACME/resume"))["halted"]


async def trade(ada: Person, bob: Person) -> None:
    resting = await ada.places(side="sell", client_order_id="mine")
    again = await ada.order(side="sell", client_order_id="mine")
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.json() == resting
    smaller = await ada.sends("PATCH", f"/v2/orders/{resting['id']}", {"qty": 8})
    bought = await bob.places(qty=3)
    assert (bought["status"], bought["filled_qty"]) == ("filled", "3")
    now = await ada.gets(f"/v2/orders/{smaller['id']}")
    assert (now["status"], now["filled_qty"]) == ("partially_filled", "3")
    batch = {"orders": [order(qty=1), order(qty=0), order(symbol="NONE")]}
    results = await ada.sends("POST", "/v2/orders:batch", batch, Idempotency_Key="b")
    assert [each["status"] for each in results] == [200, 422, 422]
    repeated = await ada.request("POST", "/v2/orders:batch", batch, Idempotency_Key="b")
    assert repeated.headers["Idempotent-Replayed"] == "true"


async def end(admin: Person, ada: Person, bob: Person) -> None:
    one = await bob.places(limit_price="50")
    two = await bob.places(limit_price="51")
    await bob.sends("DELETE", f"/v2/orders/{one['id']}")
    gone = await bob.request("DELETE", f"/v2/orders/{one['id']}")
    assert (gone.status_code, gone.json()["reason"]) == (422, "order-done")
    unknown = await bob.request("DELETE", f"/v2/orders/{admin.user_id}")
    assert (unknown.status_code, unknown.json()["reason"]) == (404, "not-found")
    path = f"/v2/admin/orders/{two['id']}?reason=news"
    await admin.sends("DELETE", path)
    assert await ada.sends("DELETE", "/v2/orders")
    await ada.places(limit_price="100", side="buy", qty=20)
    closed = await bob.sends("DELETE", "/v2/positions/ACME?qty=5")
    assert closed["filled_qty"] == "5"
    everything = await bob.sends("DELETE", "/v2/positions?cancel_orders=true")
    assert [each["symbol"] for each in everything] == ["ACME"]
    settings = {"suspend_trade": True}
    await ada.sends("PATCH", "/v2/account/configurations", settings)
    refused = await ada.order()
    assert (refused.status_code, refused.json()["reason"]) == (403, "trading-suspended")
    assert await admin.gets("/v2/audit/state")


async def confirm_clock(admin: Person, machine: Machine) -> None:
    path, shown = "/v2/admin/clock/confirmations", {"ahead_seconds": 864_000}
    none = await admin.request("POST", path, shown)
    assert (none.status_code, none.json()["reason"]) == (409, "unknown-clock-step")
    machine.steps(864_000_000_000)
    assert (await admin.sends("POST", path, shown))["ahead_seconds"] == 864_000


def writing_routes(api: Litestar) -> set[tuple[str, str]]:
    """Return method and path of every route that sends a command."""
    return {
        (method, route.path.replace(":str}", "}"))
        for route in api.routes
        for method in getattr(route, "methods", ())
        if method in ("POST", "PATCH", "PUT", "DELETE")
    }
