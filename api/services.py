"""The ports that the API needs; the composition root provides them."""

from collections.abc import Awaitable, Callable
from datetime import tzinfo
from typing import TypeAlias

import msgspec

from api.health import AskReadiness
from api.http.auth import Tokens
from api.http.request_context import Observe, ignore
from api.metrics import AskMetrics
from commands.command_port import CommandPort
from commands.ports import (
    Credentials,
    NewId,
    PasswordHasher,
    PersonalVault,
    SecurityNotes,
    WatchedClock,
)
from domain.ids import LogPosition
from projections.store import AppliedPositions, LiveViews

#: Returns the log position of the newest event, or None if the log is unavailable.
AskHead: TypeAlias = Callable[[], Awaitable[LogPosition | None]]


class Services(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that `create_app` needs."""

    port: CommandPort
    views: LiveViews
    applied: AppliedPositions
    clock: WatchedClock
    new_id: NewId
    credentials: Credentials
    security_notes: SecurityNotes
    vault: PersonalVault
    passwords: PasswordHasher
    tokens: Tokens
    readiness: AskReadiness
    head: AskHead
    metrics: AskMetrics
    market_timezone: tzinfo
    body_limit: int = 1_048_576
    metrics_token: str | None = None
    observe: Observe = ignore
