"""Checks of what serves: the server itself, Redis, and the read models."""

from collections.abc import Callable, Sequence
from http import HTTPStatus

import msgspec

from infra.access.api_client import ServerClient, ServerUnreachable
from infra.doctor.finding import (
    START,
    Finding,
    NoAnswer,
    NotChecked,
    ok,
    unknown,
    wrong,
)
from infra.doctor.installation import (
    PART_SECONDS,
    Connection,
    Installation,
    first_row,
)
from infra.doctor.patience import Asked
from infra.log.migrations import schema_number
from infra.views.postgres_snapshot import answers
from infra.views.redis_store import KEEPS_ALL, RedisMemory, RedisStore, memory_of
from projections.projection import Projection
from projections.register import PROJECTIONS
from projections.store import Home, ReadResult, Request

HEAD = "SELECT coalesce(max(notification_id), 0) FROM events"
LAG_MAX = 10_000
#: The server itself waits 1.5 seconds for its parts.
SERVER_SECONDS = 1.8
REDIS_USED_MAX_PERCENT = 90


class _Ready(msgspec.Struct):
    """The part of `/health/ready` that the doctor reads."""

    ready: bool
    role: str
    dependencies: dict[str, str]


def server(installation: Installation) -> Finding:
    """Check that the server of the home, if one runs, is ready."""
    running = installation.running
    if installation.damage is not None:
        return wrong(installation.damage, "see above")
    if running is None and installation.is_served:
        return wrong(
            f"a server runs in {installation.home} and is not ready yet",
            "wait; if it stays so, read the lines that it logs",
        )
    if running is None:
        return ok(f"no server runs in {installation.home}")

    def ask() -> tuple[int, _Ready]:
        client = ServerClient(running.base_url)
        try:
            answer = client.call("GET", "/health/ready")
            return answer.status, answer.read(_Ready)
        finally:
            client.close()

    try:
        status, state = Asked(ask).answer(SERVER_SECONDS)
    except (NoAnswer, ServerUnreachable) as reason:
        return wrong(
            f"the server at {running.base_url} runs and does not answer ({reason})",
            "see the checks below; if they are well, keep the lines that it logged, "
            "`make stop` and start it again",
        )
    if status != HTTPStatus.OK or not state.ready:
        down = [name for name, word in state.dependencies.items() if word != "ok"]
        return wrong(
            f"the server is {state.role} and not ready; down: {', '.join(down) or '-'}",
            "see the checks below; if all are well, wait a moment",
        )
    return ok(f"{state.role}, ready at {running.base_url}")


def redis(installation: Installation) -> Finding:
    """Check that Redis answers, keeps every key and has room."""
    try:
        state = installation.in_redis(memory_of)
    except NoAnswer as reason:
        return wrong(
            str(reason),
            "it is down, stopped or out of reach: look at its log and its host; until "
            "then queries get 503",
        )
    except NotChecked as reason:
        return unknown(str(reason), START)
    says = f"Redis {state.version}, {state.policy}, {_used(state)}"
    if state.policy != KEEPS_ALL:
        return wrong(
            f"{says}: when its memory is full it drops parts of read models",
            f"set maxmemory-policy {KEEPS_ALL}; the server does not start otherwise",
        )
    if state.most and state.used * 100 > state.most * REDIS_USED_MAX_PERCENT:
        return wrong(
            says, "raise maxmemory: a full Redis refuses writes and views stand still"
        )
    return ok(says)


def _used(state: RedisMemory) -> str:
    used = f"{state.used / (1 << 20):,.0f} MB used"
    return f"{used} of {state.most / (1 << 20):,.0f} MB" if state.most else used


def views(installation: Installation) -> Finding:
    """Check how far each read model is behind the log."""
    # The head last: a server at work moves it, and no view may seem to be beyond it.
    live = installation.in_redis(_live)
    history, head = installation.in_postgres(_history)
    positions = live | history
    lags = {name: head - at for name, at in positions.items() if at is not None}
    missing = [name for name, at in positions.items() if at is None]
    beyond = [name for name, lag in lags.items() if lag < 0]
    if beyond:
        return wrong(
            f"{', '.join(beyond)}: beyond the log, so they show another one",
            "stop the server and empty that store (docs/OPERATIONS.md, Audit)",
        )
    says = _lags(head, lags, missing)
    if not missing and all(lag <= LAG_MAX for lag in lags.values()):
        return ok(says)
    if installation.is_served:
        return wrong(
            says,
            "wait: the projector fills and catches up by itself; if the figures stand "
            "still, read the lines of the server's log",
        )
    return ok(f"{says}; a server catches up when it starts")


def _lags(head: int, lags: dict[str, int], missing: list[str]) -> str:
    parts = [f"not filled: {', '.join(missing)}"] if missing else []
    behind = ", ".join(f"{name} {lag:,}" for name, lag in lags.items() if lag)
    if behind:
        parts.append(f"positions behind {head:,}: {behind}")
    elif lags:
        parts.append(f"at log position {head:,}: {', '.join(lags)}")
    return "; ".join(parts)


def _types(home: Home) -> list[type[Projection]]:
    return [each for each in PROJECTIONS if each.view.home is home]


def _live(url: str) -> dict[str, int | None]:
    store = RedisStore(url, timeout=PART_SECONDS)
    try:
        return _positions(Home.LIVE, store.read)
    finally:
        store.close()


def _history(connection: Connection) -> tuple[dict[str, int | None], int]:
    """Return the positions of the read models in Postgres, and the head of the log."""
    if not schema_number(connection):
        return {}, 0
    positions = _positions(Home.HISTORY, lambda some: answers(connection, some))
    return positions, first_row(connection, HEAD)[0]


def _positions(
    home: Home, read: Callable[[Sequence[Request]], list[ReadResult | None]]
) -> dict[str, int | None]:
    types = _types(home)
    replies = read([Request(each.view, ()) for each in types])
    return {
        each.view.name: None if reply is None else reply.checkpoint
        for each, reply in zip(types, replies, strict=True)
    }
