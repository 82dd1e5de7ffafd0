"""Whether the process lives, and whether it can serve."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import msgspec
from litestar import Response, get
from litestar.di import NamedDependency
from litestar.openapi import ResponseSpec

from api.http.error_responses import Problem


class Readiness(msgspec.Struct, frozen=True):
    """What this server can do just now.

    A standby is ready: it serves queries. `lag` is, for each read model, how many log
    positions it is behind; None where that is not known.
    """

    ready: bool
    role: str
    dependencies: dict[str, str]
    lag: dict[str, int | None] = {}


class Alive(msgspec.Struct, frozen=True):
    status: str


@get(
    "/health/live",
    tags=["health"],
    # Named once, the schema stands among the components that all others refer to.
    responses={500: ResponseSpec(Problem, description="a defect")},
)
async def live() -> Alive:
    """200 for as long as the process answers at all."""
    return Alive("live")


#: Finds out what the server can do just now.
AskReadiness: TypeAlias = Callable[[], Awaitable[Readiness]]


@get(
    "/health/ready",
    tags=["health"],
    responses={503: ResponseSpec(Readiness, description="it cannot serve just now")},
)
async def ready(readiness: NamedDependency[AskReadiness]) -> Response[Readiness]:
    """200 when the server can serve, 503 when it cannot; both say why."""
    found = await readiness()
    return Response(found, status_code=200 if found.ready else 503)
