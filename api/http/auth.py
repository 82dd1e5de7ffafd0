"""Who is asking: bearer tokens, verified once and remembered until they expire.

    Authorization: Bearer <token>

Roles stand in the token, which the server alone can sign; no request can claim one.
"""

import re
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from api.http.request_errors import NotAllowed, NotSignedIn
from domain.events.event import Timestamp
from domain.ids import AccountId, UserId
from domain.vocabulary import Role

#: Verified tokens that are remembered at once.
REMEMBERED_MAX = 20_000

#: One token has one header. What else a decoder would pass over (more blanks, other
#: characters within a signature) would be remembered once for each way to write it.
_HEADER = re.compile(rb"(?i:bearer) ([A-Za-z0-9._-]{1,4096})")

AnyConnection = ASGIConnection[Any, Any, Any, Any]
AnyGuard = Callable[[AnyConnection, BaseRouteHandler], None]


class Caller(msgspec.Struct, frozen=True):
    """A signed-in user, as the token says."""

    user_id: UserId
    account_id: AccountId
    roles: tuple[Role, ...]
    expires_at: Timestamp


class TokenReader(Protocol):
    def read(self, token: str) -> Caller | None:
        """Whose token it is; None where it is forged or not of ours."""
        ...


class Tokens(TokenReader, Protocol):
    """Signs what it reads."""

    #: How long a token is valid.
    seconds: int

    def issue(self, caller: Caller, at: Timestamp) -> str:
        """A token for a caller, issued at a time and valid until the caller's."""
        ...


class Gate:
    """Lets callers in."""

    def __init__(
        self,
        tokens: TokenReader,
        now: Callable[[], Timestamp],
        *,
        on_refused: Callable[[Caller, str, Timestamp], None],
    ) -> None:
        self._tokens = tokens
        self._now = now
        self._on_refused = on_refused
        self._known: dict[bytes, Caller] = {}

    def admit(self, authorization: bytes | None, now: Timestamp) -> Caller:
        """The caller whom an `Authorization` header names.

        Raises:
            NotSignedIn: there is none, or its token is forged or expired.
        """
        if authorization is None:
            raise NotSignedIn
        caller = self._known.get(authorization)
        if caller is None:
            caller = self._verify(authorization)
        if caller.expires_at <= now:
            self._known.pop(authorization, None)
            raise NotSignedIn("the token has expired; log in again")
        return caller

    def _verify(self, authorization: bytes) -> Caller:
        header = _HEADER.fullmatch(authorization)
        if header is None:
            raise NotSignedIn
        caller = self._tokens.read(header[1].decode("ascii"))
        if caller is None:
            raise NotSignedIn
        if len(self._known) >= REMEMBERED_MAX:
            # Everybody is verified again once; that is cheaper than keeping order.
            self._known.clear()
        self._known[authorization] = caller
        return caller

    def admit_connection(self, connection: AnyConnection) -> Caller:
        """Let an ordinary route's caller in, and remember them in its scope."""
        headers = dict(connection.scope["headers"])
        caller = self.admit(headers.get(b"authorization"), self._now())
        connection.scope["user"] = caller
        return caller

    def refuse(self, caller: Caller, connection: AnyConnection) -> None:
        """Put on record that a role did not allow what was asked, and refuse it."""
        template = connection.scope.get("path_template") or ""
        method = connection.scope.get("method") or ""
        self._on_refused(caller, f"{method} {template}", self._now())
        raise NotAllowed


def signed_in(gate: Gate) -> AnyGuard:
    """The route is for signed-in users."""

    def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        gate.admit_connection(connection)

    return guard


def admins_only(gate: Gate) -> AnyGuard:
    """The route is for administrators."""

    def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        caller = gate.admit_connection(connection)
        if Role.ADMIN not in caller.roles:
            gate.refuse(caller, connection)

    return guard
