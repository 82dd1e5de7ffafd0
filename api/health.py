"""Health checks: is the process alive, and can it serve?"""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec

from api.http.error_responses import Problem


class ClockStep(msgspec.Struct, frozen=True):
    """A step of the system's clock that nobody has confirmed. Trading goes on, and the
    venue's time with it. The system's clock is ahead of that time by `ahead_seconds`,
    or behind it if the number is negative. No day rolls until the clocks agree or an
    administrator confirms the step."""

    ahead_seconds: int


class Readiness(msgspec.Struct, frozen=True):
    """The state of this server.

    A standby is ready: it serves queries. `lag` says for each read model how many log
    positions it is behind the log, or null if the server does not know. `clock` is null
    unless the system's clock has stepped.
    """

    ready: bool
    role: str
    dependencies: dict[str, str]
    lag: dict[str, int | None] = {}
    clock: ClockStep | None = None


_FAILURE = ResponseSpec(Problem, description="Internal error.", generate_examples=False)


class Alive(msgspec.Struct, frozen=True):
    status: str


@get(
    "/health/live",
    tags=["health"],
    # One named response puts the schema among the components, for all references.
    responses={500: _FAILURE},
)
async def live() -> Alive:
    """Return 200 while the process runs."""
    return Alive("live")


#: Checks what the server can do at this moment.
AskReadiness: TypeAlias = Callable[[], Awaitable[Readiness]]


@get(
    "/health/ready",
    tags=["health"],
    responses={
        503: ResponseSpec(
            Readiness,
            description="The server cannot serve now.",
            generate_examples=False,
        )
    },
)
async def ready(readiness: NamedDependency[AskReadiness]) -> Response[Readiness]:
    """Return 200 if the server can serve, else 503. Both list the dependencies."""
    state = await readiness()
    return Response(state, status_code=200 if state.ready else 503)
