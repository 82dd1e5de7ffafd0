"""Who is asking: bearer tokens, verified once and remembered until they expire.

Verifying a token needs the key alone, so every server lets callers in, leading or not.

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

#: One token has one header. A decoder would also accept more blanks, or other signs in
#: a signature; each such spelling would take a place among the remembered tokens.
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
        """Return whose token it is, or None if it is forged or not ours."""
        ...


class Tokens(TokenReader, Protocol):
    """Signs what it reads."""

    #: How long a token is valid.
    seconds: int

    def issue(self, caller: Caller, at: Timestamp) -> str:
        """Return a token for a caller, issued at `at` and valid until `expires_at`."""
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
        """Return the caller whom an `Authorization` header names.

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
            # Verifying everybody once more is cheaper than keeping an order.
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
        """Refuse what the caller's role does not allow, and note the refusal."""
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
