"""A server at its full order rate for a long time, killed and flushed on the way.

Alongside the orders, a client replaces one order without pause, and the same user's
polls must show it open exactly once.
"""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import httpx
import msgspec
import psutil
import redis

from benchmarks.served import Server
from tests.support import calls
from tests.support.server_process import ServerProcess
from tests.support.soak_traffic import Results, Traffic
from tests.support.survival import Report, assert_audited

MEGABYTE = 2**20
SAMPLE_SECONDS = 5.0
RETRY_SECONDS = 0.1
CATCH_UP_SECONDS = 3_600.0
WATCHERS = 3
#: The audit fills every read model a second time. Beyond so many orders that takes more
#: memory than this machine has, so the audit then leaves the read models out.
VIEWS_MAX = 5_000_000
PERSON = {"email": "soak@example.com", "password": "correct horse battery soak"}


class Life(msgspec.Struct):
    """One server from its start to its kill: its samples of resident memory."""

    began: float
    resident: list[int] = msgspec.field(default_factory=list[int])


class Watch(msgspec.Struct):
    """What the watchers saw: polls, replacements, answers to retry, torn lists."""

    polls: int = 0
    replacements: int = 0
    retries: Counter[str] = msgspec.field(default_factory=Counter[str])
    torn: list[str] = msgspec.field(default_factory=list[str])


class Soak:
    """One run. `kill_every` and `flush_every` are seconds."""

    def __init__(
        self,
        server: ServerProcess,
        *,
        seconds: float,
        kill_every: float,
        flushes: Sequence[float],
        report: Report,
    ) -> None:
        assert server.process is not None
        self.server = server
        self.seconds = seconds
        self.kill_every = kill_every
        self.flushes = sorted(flushes)
        self.report = report
        self.watch = Watch()
        self.lives: list[Life] = []
        #: What happened to the server last.
        self.disturbance = "nothing happened yet"
        self.api = Server(server.process, 0.0, server.port, server.home)
        self.traffic = Traffic(self.api)

    @property
    def results(self) -> Results:
        """The answers to the orders."""
        return self.traffic.results

    def run(self) -> None:
        """Run, then stop the load and verify the log, the state and the views."""
        asyncio.run(self._run())

    async def _run(self) -> None:
        headers = {"Authorization": f"Bearer {self._watcher_token()}"}
        async with httpx.AsyncClient(
            base_url=self.server.url, headers=headers, timeout=10
        ) as client:
            tasks = [
                asyncio.create_task(self.traffic.run()),
                asyncio.create_task(self._replace(client)),
                *(asyncio.create_task(self._poll(client)) for _ in range(WATCHERS)),
            ]
            try:
                await self._disturb(tasks)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def _watcher_token(self) -> str:
        """Register the user who watches, and return the user's token."""
        admin = self.server.token(self.server.demo["admin"])
        answer = self.server.ask(calls.register(PERSON["email"], PERSON["password"]))
        answer.raise_for_status()
        account = answer.json()["account_id"]
        funded = self.server.ask(calls.deposit(account, "1000000"), admin)
        funded.raise_for_status()
        return self.server.token(PERSON)

    # --- disturbances ---

    async def _disturb(self, tasks: Sequence[asyncio.Task[None]]) -> None:
        start = time.monotonic()
        next_kill = start + self.kill_every
        flushes = [start + each for each in self.flushes]
        self.lives.append(Life(start))
        while (now := time.monotonic()) < start + self.seconds:
            await asyncio.sleep(SAMPLE_SECONDS)
            for task in tasks:
                if task.done():
                    task.result()
            self._sample()
            if now >= next_kill:
                next_kill = now + self.kill_every
                await asyncio.to_thread(self._kill)
            if flushes and now >= flushes[0]:
                flushes.pop(0)
                await asyncio.to_thread(self._flush)

    def _sample(self) -> None:
        assert self.server.process is not None
        resident = psutil.Process(self.server.process.pid).memory_info().rss
        self.lives[-1].resident.append(resident)
        placed = self.results.orders
        if len(self.lives[-1].resident) % 12 == 0:
            self.report(
                f"{placed:,} orders, server {resident / MEGABYTE:,.0f} MB, "
                f"{self.watch.replacements:,} replacements, {self.watch.polls:,} polls"
            )

    def _kill(self) -> None:
        self.server.kill()
        self.server.start().wait_ready("leader")
        self.lives.append(Life(time.monotonic()))
        self.disturbance = f"killed at {time.monotonic() - self.lives[0].began:.1f} s"
        self.report(f"killed; {self.results.orders:,} orders so far")

    def _flush(self) -> None:
        with redis.Redis.from_url(self.server.run["redis_url"]) as client:
            client.flushall()
        self.disturbance = f"flushed at {time.monotonic() - self.lives[0].began:.1f} s"
        self.report("flushed Redis")

    # --- one order, always open ---

    async def _replace(self, client: httpx.AsyncClient) -> None:
        """Keep one order open and replace it without pause."""
        order_id = ""
        for number in itertools.count():
            price = str(92 + number % 5)
            try:
                if order_id:
                    path = f"/v2/orders/{order_id}"
                    answer = await client.patch(path, json={"limit_price": price})
                else:
                    order_id = await self._only_open(client)
                    continue
            except httpx.HTTPError as reason:
                self.watch.retries[type(reason).__name__] += 1
                await asyncio.sleep(RETRY_SECONDS)
                order_id = ""
                continue
            if answer.status_code == 200:
                order_id = str(answer.json()["id"])
                self.watch.replacements += 1
            elif answer.status_code in (422, 503):
                # The replacement before got no answer, or the server cannot tell yet.
                self.watch.retries[f"replace {answer.status_code}"] += 1
                await asyncio.sleep(RETRY_SECONDS)
                order_id = ""
            else:
                raise AssertionError(f"a replacement got {answer.text}")

    async def _only_open(self, client: httpx.AsyncClient) -> str:
        """Return the open order; place one if there never was one."""
        answer = await client.get("/v2/orders?status=open")
        if answer.status_code != 200:
            await asyncio.sleep(RETRY_SECONDS)
            return ""
        if answer.json():
            return str(answer.json()[0]["id"])
        assert not self.watch.replacements, "the order is open at every moment"
        placed = await client.post(
            "/v2/orders",
            json=calls.order(
                symbol="ACME",
                limit_price="92",
                qty="1",
                client_order_id="the one",
            ),
        )
        return str(placed.json()["id"]) if placed.status_code == 200 else ""

    async def _poll(self, client: httpx.AsyncClient) -> None:
        """Poll both lists; each answer must show one moment."""
        while True:
            is_placed = bool(self.watch.replacements)
            try:
                open_now = await client.get("/v2/orders?status=open")
                everything = await client.get("/v2/orders?status=all&limit=50")
            except httpx.HTTPError as reason:
                self.watch.retries[type(reason).__name__] += 1
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if {open_now.status_code, everything.status_code} != {200}:
                self.watch.retries["poll"] += 1
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if is_placed:
                moments = [
                    each.headers["Bourse-Log-Position"]
                    for each in (open_now, everything)
                ]
                self._check(open_now.json(), everything.json(), moments)

    def _check(
        self, open_now: list[Any], everything: list[Any], moments: list[str]
    ) -> None:
        self.watch.polls += 1
        if len(open_now) != 1:
            shown = [each["status"] for each in everything[:3]]
            self.watch.torn.append(
                f"{len(open_now)} orders are open at {moments[0]}; at {moments[1]} the "
                f"list of all has {len(everything)}, the newest are {shown}; "
                f"{self.watch.replacements} replacements, {self.disturbance}"
            )
        known = {each["id"] for each in everything}
        missing = {each["replaced_by"] for each in everything} - {None} - known
        if missing:
            self.watch.torn.append(f"replaced by {missing}, which the list lacks")

    # --- the end ---

    def verify(self) -> None:
        """Let the views catch up, and assert that the audit is sound."""
        start = time.monotonic()
        self.server.wait_caught_up(CATCH_UP_SECONDS)
        self.report(f"the views caught up in {time.monotonic() - start:.0f} s")
        start = time.monotonic()
        audit = assert_audited(self.server, views=self.results.orders < VIEWS_MAX)
        seconds = time.monotonic() - start
        self.report(f"audit verified {audit['events']:,} events in {seconds:.0f} s")
