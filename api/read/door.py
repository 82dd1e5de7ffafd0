"""What a query needs: the read models, and the wait for the log position it must see.

Every failure of the store is told as one of the refusals here; all of them mean that
the same query may be sent again.
"""

import asyncio
from collections.abc import Sequence
from typing import Any, TypeAlias

from litestar import Request as HttpRequest
from litestar import Response
from litestar.di import NamedDependency

from api.http.auth import Caller
from api.http.own_writes import OwnWrites
from api.http.request_errors import BadParameter
from api.wire.order import POSITION_HEADER
from domain.errors import Unavailable
from domain.ids import AssetId, LogPosition, Symbol
from projections import instruments
from projections.store import (
    Answer,
    AppliedPositions,
    Read,
    Request,
    StoreDown,
    View,
    Views,
    ViewUnavailable,
)

AnyRequest: TypeAlias = HttpRequest[Any, Any, Any]

#: How long a query waits for a log position that it names.
AFTER_SECONDS = 5
#: How long it waits to show what its caller was told of.
OWN_SECONDS = 1
POSITION_DIGITS_MAX = 18


class ViewFilling(Unavailable):
    """A read model is being filled from the log."""

    code = "view-unavailable"

    def __init__(self, view: str) -> None:
        super().__init__(f"the view {view} is being filled; ask again", view=view)


class ViewsDown(Unavailable):
    """The store of the read models does not answer."""

    code = "views-down"

    def __init__(self) -> None:
        super().__init__("the read models cannot be reached just now; ask again")


class NotReached(Unavailable):
    """The view has not come to the log position that the query asked for."""

    code = "position-not-reached"

    def __init__(self, view: str, position: LogPosition) -> None:
        super().__init__(
            f"the view {view} has not reached log position {position} yet; ask again",
            view=view,
            after=position,
        )


class ReadDoor:
    """The read models of one server."""

    def __init__(
        self, views: Views, applied: AppliedPositions, own_writes: OwnWrites
    ) -> None:
        self.views = views
        self.applied = applied
        self.own_writes = own_writes
        #: Which id a symbol has. A symbol is taken for good, and its id with it.
        self.asset_ids: dict[Symbol, AssetId] = {}


class Reading:
    """One query at work. It may be handed to the read models' own queries as `Views`.

    It must show the log position `after`, where one is named; else it is to show `own`,
    what the caller was told of, unless that takes too long. `position` is the lowest
    log position that anything it read was at.
    """

    def __init__(
        self, door: ReadDoor, after: LogPosition | None, own: LogPosition = 0
    ) -> None:
        self._door = door
        self._after = after
        self._wanted = own if after is None else after
        self._seconds = OWN_SECONDS if after is None else AFTER_SECONDS
        self._reached: set[str] = set()
        self._deadline: float | None = None
        self.position: LogPosition | None = None

    async def read(self, view: View, reads: Sequence[Read]) -> Answer:
        """Read from one model, once it shows the log position asked for."""
        (answer,) = await self.read_at_once([Request(view, reads)])
        return answer

    async def read_at_once(self, requests: Sequence[Request]) -> list[Answer]:
        """Read from several models at one moment, the same way."""
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
        reached = await self._door.applied.reach(self._wanted, [name], seconds)
        if not reached and self._after is not None:
            raise NotReached(name, self._after)
        self._reached.add(name)

    async def asset_id(self, symbol: Symbol) -> AssetId | None:
        """The asset id of a symbol, looked up once for the life of the server."""
        known = self._door.asset_ids
        if symbol not in known:
            for each in await instruments.all_instruments(self):
                known[each.symbol] = each.listing.asset_id
        return known.get(symbol)

    def answer(self, body: Any) -> Response[Any]:
        """The body, and the log position that it shows."""
        headers: dict[str, str] = {}
        if self.position is not None:
            headers[POSITION_HEADER] = str(self.position)
        return Response(body, headers=headers)


def log_position(text: str) -> LogPosition:
    """Raises BadParameter for what is no log position."""
    if not (text.isascii() and text.isdigit()) or len(text) > POSITION_DIGITS_MAX:
        raise BadParameter("after must be a log position, a whole number", "after")
    return int(text)


def reading_of(request: AnyRequest, read_door: NamedDependency[ReadDoor]) -> Reading:
    """A query that waits for `?after=POSITION`, where it is given."""
    after = request.query_params.get("after")
    return reading_after(request, read_door, log_position(after) if after else None)


def reading_after(
    request: AnyRequest, read_door: ReadDoor, after: LogPosition | None
) -> Reading:
    """A query of whoever asks, who may be nobody that is known."""
    caller: Caller | None = request.scope.get("user")
    own = read_door.own_writes.of(caller.user_id) if caller is not None else 0
    return Reading(read_door, after, own)


def caller_of(request: AnyRequest) -> Caller:
    return request.scope["user"]


GivenReading: TypeAlias = NamedDependency[Reading]
GivenCaller: TypeAlias = NamedDependency[Caller]
