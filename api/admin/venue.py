"""The venue: how long it remembers what is over, and the time that it goes by."""

from typing import Annotated

import msgspec
from litestar import Response, get, patch, post
from litestar.params import JSONBody

from api.http.request_context import CallDependency
from api.write.answers import response_of
from api.write.door import DoorDependency
from commands.messages import (
    ChangeMemoryWindow,
    ConfirmClock,
)
from domain.ids import LogPosition
from domain.memory_window import (
    AGE_MAX_HIGHEST,
    AGE_MAX_LOWEST,
    COUNT_MAX_HIGHEST,
    OWN_MAX_HIGHEST,
    SECOND,
    MemoryWindow,
)

TAGS = ["admin"]


class Window(msgspec.Struct):
    """How long the venue remembers a finished order or a key: the newest
    `count_max`, if they are at most `age_seconds_max` old. Of each account, the newest
    `own_max` are forgotten by age only."""

    count_max: int
    age_seconds_max: int
    own_max: int


class WindowChanges(msgspec.Struct, forbid_unknown_fields=True):
    """New limits. A limit that is null or missing stays as it is."""

    count_max: Annotated[int, msgspec.Meta(ge=1, le=COUNT_MAX_HIGHEST)] | None = None
    age_seconds_max: (
        Annotated[
            int,
            msgspec.Meta(ge=AGE_MAX_LOWEST // SECOND, le=AGE_MAX_HIGHEST // SECOND),
        ]
        | None
    ) = None
    own_max: Annotated[int, msgspec.Meta(ge=0, le=OWN_MAX_HIGHEST)] | None = None


def _window(limits: MemoryWindow) -> Window:
    return Window(limits.count_max, limits.age_max // SECOND, limits.own_max)


@get("/v2/admin/memory-window", tags=TAGS)
async def get_memory_window(door: DoorDependency) -> Window:
    """Return how long the venue remembers finished orders and keys.

    While it remembers an order, the account cannot use its `client_order_id` again.
    While it remembers an `Idempotency-Key`, a request sent again under it gets its
    first answer. Open orders and keys that moved money are never forgotten."""
    return _window(await door.port.memory_window())


@patch("/v2/admin/memory-window", tags=TAGS)
async def change_memory_window(
    data: JSONBody[WindowChanges], call: CallDependency, door: DoorDependency
) -> Response[Window]:
    """Change how long the venue remembers finished orders and keys."""
    meta = door.meta(call, "memory-window", data)
    # Read first: once the command is durable, this writer may have lost the lease.
    before = await door.port.memory_window()
    age = data.age_seconds_max
    age_max = None if age is None else age * SECOND
    command = ChangeMemoryWindow(meta, data.count_max, age_max, data.own_max)
    answer = await door.execute(command)
    window = before if answer.repeated else before.after(answer.facts)
    return response_of(_window(window), answer)


class ClockConfirmation(msgspec.Struct, forbid_unknown_fields=True):
    """The step to confirm, as `clock` in `/health/ready` shows it. It may have grown or
    shrunk by a minute since."""

    ahead_seconds: Annotated[int, msgspec.Meta(ge=-(10**10), le=10**10)]


class ConfirmedClock(msgspec.Struct):
    """The venue follows the system's clock from this log position on."""

    ahead_seconds: int
    log_position: LogPosition


@post("/v2/admin/clock/confirmations", tags=TAGS, status_code=200)
async def confirm_clock(
    data: JSONBody[ClockConfirmation], call: CallDependency, door: DoorDependency
) -> Response[ConfirmedClock]:
    """Confirm that this server's system clock is right after a step. The venue follows
    it, and days that are over by it roll."""
    shown = data.ahead_seconds * 1_000_000
    meta = door.meta(call, "confirm-clock", data)
    answer = await door.execute(ConfirmClock(meta, shown, door.clock.step()))
    if not answer.repeated:
        door.clock.confirm(shown)
    confirmed = ConfirmedClock(data.ahead_seconds, answer.position)
    return response_of(confirmed, answer)
