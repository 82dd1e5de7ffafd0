"""The log positions of the live read models, and waiting until they reach one.

The runner publishes each write on `bourse:applied`. A message can be lost, and a
connection can die silently. So this module also reads the checkpoints themselves:
after every subscription, and once a second while a caller waits. It reads each store
separately: a store that does not answer delays only callers that wait for its views.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, cast

import msgspec
import redis.asyncio
import structlog
from redis.exceptions import RedisError

from domain.ids import LOG_START, LogPosition
from infra.views.homes import ViewsOfHome
from projections.register import PROJECTIONS
from projections.store import APPLIED, Home, Request, StoreDown, View

LOOK_SECONDS = 1.0
RETRY_SECONDS = 0.2
#: How long a report of all positions waits for the store of history.
HISTORY_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Applied(msgspec.Struct, frozen=True):
    """The message of one write: the named views now show this log position."""

    position: LogPosition
    generations: dict[str, str]


class _Waiter(msgspec.Struct, frozen=True, eq=False):
    position: LogPosition
    names: frozenset[str]
    woken: asyncio.Future[None]


class RedisAppliedPositions:
    """The `AppliedPositions` of one process. Call `start` on its event loop."""

    def __init__(
        self,
        url: str,
        homes: Mapping[Home, ViewsOfHome],
        followed: Sequence[View] = tuple(each.view for each in PROJECTIONS),
        *,
        on_reached: Callable[[bool, str], None] = lambda _is_up, _reason: None,
    ) -> None:
        self._redis = redis.asyncio.Redis.from_url(
            url, socket_timeout=5.0, socket_connect_timeout=5.0
        )
        self._homes = homes
        #: Called when the subscription begins or fails, with the reason.
        self._on_reached = on_reached
        self._followed = {
            home: [each for each in followed if each.home is home] for home in homes
        }
        self._looks: dict[Home, asyncio.Task[None]] = {}
        self._positions: dict[str, LogPosition | None] = dict.fromkeys(
            each.name for each in followed
        )
        self._waiters: set[_Waiter] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Start the task that follows the positions."""
        self._task = asyncio.create_task(self._follow(), name="applied-positions")

    async def close(self) -> None:
        """Stop following and close the connection."""
        while self._task is not None and not self._task.done():
            # The client may swallow a cancellation while it connects, so repeat it.
            self._task.cancel()
            await asyncio.wait([self._task], timeout=RETRY_SECONDS)
        for each in self._looks.values():
            each.cancel()
        await self._redis.aclose()

    async def positions(self) -> dict[str, LogPosition | None]:
        """Return the current checkpoint of each view.

        None stands for a view that is being filled, or whose store does not answer.

        Raises:
            StoreDown: the store of the live views does not answer.
        """
        positions: dict[str, LogPosition | None] = {}
        for home, followed in self._followed.items():
            is_known = True
            if home is Home.LIVE:
                await self._look(home)
            else:
                # That store may hang; the live views must not seem to hang with it.
                look = self._begin_look(home)
                done, _ = await asyncio.wait([look], timeout=HISTORY_SECONDS)
                is_known = bool(done)
            for each in followed:
                positions[each.name] = self._positions[each.name] if is_known else None
        return positions

    async def reach(
        self, position: LogPosition, names: Iterable[str], seconds: float
    ) -> bool:
        wanted = frozenset(names)
        if self._reached(position, wanted):
            return True
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = _Waiter(position, wanted, woken)
        self._waiters.add(waiter)
        try:
            async with asyncio.timeout(seconds):
                await woken
        except TimeoutError:
            return False
        finally:
            self._waiters.discard(waiter)
        return True

    def _reached(self, position: LogPosition, names: frozenset[str]) -> bool:
        known = self._positions
        return all((known.get(name) or 0) >= position for name in names)

    def _wake(self) -> None:
        for waiter in list(self._waiters):
            if self._reached(waiter.position, waiter.names) and not waiter.woken.done():
                waiter.woken.set_result(None)

    async def _follow(self) -> None:
        """Listen until cancelled, through every outage."""
        while True:
            try:
                await self._listen()
            except (RedisError, StoreDown, OSError) as reason:
                self._on_reached(False, str(reason))
            except Exception:  # noqa: BLE001 - the top loop of a task nobody awaits
                _log.exception("following the views failed; it starts again")
            await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        channel = cast(Any, self._redis).pubsub(ignore_subscribe_messages=True)
        async with channel:
            await channel.subscribe(APPLIED)
            # The checkpoints include every write published before the subscription.
            await self._look_around()
            self._on_reached(True, "")
            while True:
                message = await channel.get_message(timeout=LOOK_SECONDS)
                if message is not None:
                    self._hear(message["data"])
                elif self._waiters:
                    await self._look_around()

    def _hear(self, body: bytes) -> None:
        applied = msgspec.json.decode(body, type=Applied)
        for name in applied.generations:
            self._positions[name] = applied.position
        self._wake()

    async def _look_around(self) -> None:
        """Read the live views now; read the other stores in the background."""
        for home in self._homes:
            if home is Home.LIVE:
                await self._look(home)
            else:
                self._begin_look(home)

    def _begin_look(self, home: Home) -> asyncio.Task[None]:
        """Begin to read the checkpoints of a store, unless that goes on already."""
        look = self._looks.get(home)
        if look is None or look.done():
            look = self._looks[home] = asyncio.create_task(self._try_to_look(home))
        return look

    async def _try_to_look(self, home: Home) -> None:
        try:
            await self._look(home)
        except StoreDown:
            for each in self._followed[home]:
                self._positions[each.name] = None

    async def _look(self, home: Home) -> None:
        followed = self._followed[home]
        if not followed:
            return
        requests = [Request(each, ()) for each in followed]
        answers = await self._homes[home].read_many(requests)
        for each, answer in zip(followed, answers, strict=True):
            # A message that arrived meanwhile may be newer than the answer.
            known = self._positions[each.name] or LOG_START
            self._positions[each.name] = answer and max(known, answer.checkpoint)
        self._wake()
