"""The read door: the read models, and the wait for the log position of a query.

This module turns every failure of the store into one of its errors. After each of them
the client may send the same query again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import structlog
from litestar import Request as HttpRequest
from litestar import Response
from litestar.background_tasks import BackgroundTask
from litestar.di import NamedDependency

from api.http.auth import Caller
from api.http.error_handlers import refusal
from api.http.openapi import NEXT_PAGE_HEADER
from api.http.own_writes import OwnWrites
from api.http.request_errors import BadParameter
from api.wire.order import POSITION_HEADER
from domain.errors import Unavailable
from domain.ids import LOG_START, AssetId, LogPosition, Symbol
from projections.market import instruments
from projections.readable import Unreadable
from projections.store import (
    AppliedPositions,
    LiveViews,
    Read,
    ReadResult,
    Request,
    StoreDown,
    View,
    ViewUnavailable,
)

_log = structlog.get_logger(__name__)

AnyRequest: TypeAlias = HttpRequest[Any, Any, Any]

#: How long a query waits for the log position in `after_position`.
AFTER_SECONDS = 5
#: A view that a query has retired is not retired again for so long.
RETIRED_SECONDS = 600
#: How long it waits before it asks whether the log has that position at all.
ASK_SECONDS = 0.1
#: How long a query waits for its caller's latest command.
OWN_SECONDS = 1
POSITION_DIGITS_MAX = 18


class ViewFilling(Unavailable):
    """The projector is still filling a read model from the log."""

    code = "view-unavailable"

    def __init__(self, view: str) -> None:
        super().__init__(f"the view {view} is being filled; retry the query", view=view)


class ViewDamaged(Unavailable):
    """A read model has rows that cannot be read; it is filled from the log again."""

    code = "view-damaged"

    def __init__(self, view: str) -> None:
        super().__init__(
            f"the view {view} is damaged and is filled from the log again; retry the "
            "query",
            view=view,
        )


class ViewsDown(Unavailable):
    """The store of the read models is unavailable."""

    code = "views-down"

    def __init__(self) -> None:
        super().__init__("the read models are unavailable; retry the query")


class NotReached(Unavailable):
    """The view did not reach the query's log position in time."""

    code = "position-not-reached"

    def __init__(self, view: str, position: LogPosition) -> None:
        super().__init__(
            f"the view {view} has not reached log position {position}; retry the query",
            view=view,
            after=position,
        )


class BeyondLog(BadParameter):
    """The query's log position is beyond the head of the log."""

    def __init__(self, position: LogPosition, head: LogPosition) -> None:
        super().__init__(
            f"log position {position} is beyond the head of the log, {head}; pass the "
            "position that a response of this exchange named",
            "after_position",
        )


class ReadDoor:
    """The read models of one server. `head` returns None if the log is unavailable."""

    def __init__(
        self,
        views: LiveViews,
        applied: AppliedPositions,
        own_writes: OwnWrites,
        *,
        head: Callable[[], Awaitable[LogPosition | None]],
    ) -> None:
        self.views = views
        self.head = head
        self.applied = applied
        self.own_writes = own_writes
        #: Asset ids by symbol. A symbol keeps its asset id for ever.
        self.asset_ids: dict[Symbol, AssetId] = {}
        self._retired: dict[str, float] = {}

    async def retire(self, damage: Unreadable) -> None:
        """Let the runner fill a damaged view again.

        If this did not help, the fault is in the code: another filling would only take
        the readable rows from everybody.
        """
        name, now = damage.view.name, asyncio.get_running_loop().time()
        log = _log.bind(view=name, reason=repr(damage.reason))
        retired = self._retired.get(name)
        if retired is not None and now - retired < RETIRED_SECONDS:
            log.error("a view that was filled again has rows that cannot be read")
            return
        self._retired[name] = now
        log.error("a view is damaged and is filled from the log again")
        with suppress(StoreDown):
            await self.views.retire(damage.view, damage.generation)


class Reading:
    """One query in progress. The queries of the read models accept it as `Views`.

    The query waits for the log position `after`. It fails if that takes too long, or if
    the log has no such position. With no `after`, the query waits for `own`, the
    caller's latest command, and then reads in any case. `position` is the lowest
    checkpoint of everything it has read.
    """

    def __init__(
        self, door: ReadDoor, after: LogPosition | None, own: LogPosition = LOG_START
    ) -> None:
        self._door = door
        self._after = after
        self._wanted = own if after is None else after
        self._seconds = OWN_SECONDS if after is None else AFTER_SECONDS
        self._reached: set[str] = set()
        self._deadline: float | None = None
        self.position: LogPosition | None = None

    async def read(self, view: View, reads: Sequence[Read]) -> ReadResult:
        """Read from one model after it has reached the log position."""
        (answer,) = await self.read_at_once([Request(view, reads)])
        return answer

    async def read_at_once(self, requests: Sequence[Request]) -> list[ReadResult]:
        """Read from several models at one moment, after they reached the position."""
        try:
            for request in requests:
                if self._wanted and request.view.name not in self._reached:
                    await self._wait(request.view.name)
            answers = await self._door.views.read_at_once(requests)
        except ViewUnavailable as reason:
            raise ViewFilling(reason.name) from None
        except StoreDown:
            raise ViewsDown from None
        positions = [answer.checkpoint for answer in answers]
        if self.position is not None:
            positions.append(self.position)
        self.position = min(positions)
        return answers

    async def _wait(self, name: str) -> None:
        now = asyncio.get_running_loop().time()
        if self._deadline is None:
            self._deadline = now + self._seconds
        seconds = self._deadline - now
        reach = self._door.applied.reach
        if self._after is None:
            await reach(self._wanted, [name], seconds)
        elif not await reach(self._after, [name], min(ASK_SECONDS, seconds)):
            head = await self._door.head()
            if head is not None and head < self._after:
                raise BeyondLog(self._after, head)
            if not await reach(self._after, [name], seconds - ASK_SECONDS):
                raise NotReached(name, self._after)
        self._reached.add(name)

    async def asset_id(self, symbol: Symbol) -> AssetId | None:
        """Return the asset id of a symbol; look each up once per server process."""
        known = self._door.asset_ids
        if symbol not in known:
            for each in await instruments.all_instruments(self):
                known[each.symbol] = each.listing.asset_id
        return known.get(symbol)

    def answer(self, body: Any, *, next_page: int | None = None) -> Response[Any]:
        """Return the body with the log position that it shows.

        `next_page` is the page token of the rest of a list, if there may be any.
        """
        headers: dict[str, str] = {}
        if next_page is not None:
            headers[NEXT_PAGE_HEADER] = str(next_page)
        if self.position is not None:
            headers[POSITION_HEADER] = str(self.position)
        return Response(body, headers=headers)


def on_damage(
    door: ReadDoor,
) -> Callable[[AnyRequest, Unreadable], Response[Any]]:
    """Return the exception handler for a query that met damaged rows."""

    def handle(request: AnyRequest, damage: Unreadable) -> Response[Any]:
        response = refusal(request, ViewDamaged(damage.view.name))
        response.background = BackgroundTask(door.retire, damage)
        return response

    return handle


def log_position(text: str, field: str = "after_position") -> LogPosition:
    """Read a log position. Raises BadParameter."""
    if not (text.isascii() and text.isdigit()) or len(text) > POSITION_DIGITS_MAX:
        raise BadParameter(f"{field} must be a log position, a whole number", field)
    return LogPosition(text)


def position_in(
    parameters: Mapping[str, str], names: Sequence[str] = ("after_position", "after")
) -> LogPosition | None:
    """Return the highest log position under these names of a query, None if none.

    Raises:
        BadParameter: a value is not a log position.
    """
    values = [(name, parameters[name]) for name in names if parameters.get(name)]
    return max((log_position(value, name) for name, value in values), default=None)


def reading_of(request: AnyRequest, read_door: NamedDependency[ReadDoor]) -> Reading:
    """Return a reading that waits for `?after_position=`, or `?after=`, if named."""
    return reading_after(request, read_door, position_in(request.query_params))


def reading_after(
    request: AnyRequest, read_door: ReadDoor, after: LogPosition | None
) -> Reading:
    """Return a reading for the caller of the request, who may be anonymous."""
    caller: Caller | None = request.scope.get("user")
    own = read_door.own_writes.of(caller.user_id) if caller is not None else LOG_START
    return Reading(read_door, after, own)


def caller_of(request: AnyRequest) -> Caller:
    return request.scope["user"]


ReadingDependency: TypeAlias = NamedDependency[Reading]
CallerDependency: TypeAlias = NamedDependency[Caller]
