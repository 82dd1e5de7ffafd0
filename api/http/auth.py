"""Authentication: bearer tokens, verified once and cached until they expire.

Verifying a token needs the key alone, so every server lets callers in, leading or not.

    Authorization: Bearer <token>

The token holds the roles. Only the server can sign a token, so no client can claim one.
"""

import re
from collections.abc import Callable
from typing import Any, Protocol

import msgspec
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Scope

from api.http.request_errors import NotAllowed, NotSignedIn
from domain.events.event import Timestamp
from domain.ids import AccountId, UserId
from domain.vocabulary import Role

#: The cache holds at most this many verified tokens.
REMEMBERED_MAX = 20_000

#: Exactly one spelling per token. A decoder ignores extra blanks and odd characters in
#: a signature; each such spelling would take another place in the cache.
_HEADER = re.compile(rb"(?i:bearer) ([A-Za-z0-9._-]{1,4096})")

AnyConnection = ASGIConnection[Any, Any, Any, Any]
AnyGuard = Callable[[AnyConnection, BaseRouteHandler], None]


class Caller(msgspec.Struct, frozen=True):
    """A signed-in user, from the token."""

    user_id: UserId
    account_id: AccountId
    roles: tuple[Role, ...]
    expires_at: Timestamp


class TokenReader(Protocol):
    def read(self, token: str) -> Caller | None:
        """Return the token's user, or None if this server did not sign it."""
        ...


class Tokens(TokenReader, Protocol):
    """Signs and reads tokens."""

    #: The lifetime of a token.
    seconds: int

    def issue(self, caller: Caller, at: Timestamp) -> str:
        """Return a token issued at `at` and valid until `caller.expires_at`."""
        ...


class Gate:
    """Admits callers by their tokens."""

    def __init__(
        self,
        tokens: TokenReader,
        now: Callable[[], Timestamp],
        *,
        on_refused: Callable[[Caller, str, Timestamp, Scope], None],
    ) -> None:
        self._tokens = tokens
        self._now = now
        self._on_refused = on_refused
        self._known: dict[bytes, Caller] = {}

    def admit(self, authorization: bytes | None, now: Timestamp) -> Caller:
        """Return the caller of an `Authorization` header.

        Raises:
            NotSignedIn: the header is missing, or its token is forged or expired.
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
            # Verifying every token once more is cheaper than tracking their age.
            self._known.clear()
        self._known[authorization] = caller
        return caller

    def admit_connection(self, connection: AnyConnection) -> Caller:
        """Admit an ordinary route's caller and store the caller in the scope."""
        headers = dict(connection.scope["headers"])
        caller = self.admit(headers.get(b"authorization"), self._now())
        connection.scope["user"] = caller
        return caller

    def refuse(self, caller: Caller, connection: AnyConnection) -> None:
        """Record that the caller's roles do not allow the route, and refuse."""
        template = connection.scope.get("path_template") or ""
        method = connection.scope.get("method") or ""
        route = f"{method} {template}"
        self._on_refused(caller, route, self._now(), connection.scope)
        raise NotAllowed


def signed_in(gate: Gate) -> AnyGuard:
    """Return the guard of routes for signed-in users."""

    def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        gate.admit_connection(connection)

    return guard


def admins_only(gate: Gate) -> AnyGuard:
    """Return the guard of routes for administrators."""

    def guard(connection: AnyConnection, _: BaseRouteHandler) -> None:
        caller = gate.admit_connection(connection)
        if Role.ADMIN not in caller.roles:
            gate.refuse(caller, connection)

    return guard
