"""The context of a request: its caller, correlation id, idempotency key, and notes.

A request leaves notes in its scope. After the response, the application calls its
`Observe` once with the scope, for the metrics and the access log.
"""

import re
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from typing import Any, TypeAlias, cast

import msgspec
from litestar import Request
from litestar.di import NamedDependency
from litestar.types import Scope

from api.http.auth import Caller
from api.http.error_responses import Failure
from api.http.request_errors import BadParameter
from domain.ids import CommandId

#: The header with the correlation id, in requests and in responses.
REQUEST_ID = b"x-request-id"
#: Keys of the scope. The caller is under `user`, as the framework has it.
CORRELATION = "bourse.correlation"
REFUSALS = "bourse.refusals"

#: A scope, of which a request reads and writes its own keys.
Notes: TypeAlias = MutableMapping[str, object]
#: The arguments are the scope, the template of the route (None if no route matches),
#: the method, the status, and the seconds from the request's head to its last byte.
Observe: TypeAlias = Callable[[Mapping[str, object], str | None, str, int, float], None]
#: The server accepts no other correlation ids.
SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
#: Visible ASCII without the blank: HTTP strips blanks around a header's value, so a
#: blank in a key could get lost.
KEY_CHARACTERS = "[!-~]"
KEY_LENGTH_MAX = 128

_Correlation: TypeAlias = str | None
_KEY = re.compile(f"{KEY_CHARACTERS}{{1,{KEY_LENGTH_MAX}}}".encode())


class Call(msgspec.Struct, frozen=True):
    """A caller's request. `key` makes it once; `notes` is its scope."""

    caller: Caller
    key: str | None
    notes: Notes


def key_of(headers: dict[bytes, bytes]) -> str | None:
    """Return the `Idempotency-Key`, if there is one.

    Raises:
        BadParameter: the key is empty or too long, or has a character that is not
            visible ASCII.
    """
    value = headers.get(b"idempotency-key")
    if value is None:
        return None
    key = value.strip()
    if _KEY.fullmatch(key) is None:
        raise BadParameter(
            f"Idempotency-Key must be 1 to {KEY_LENGTH_MAX} visible ASCII characters, "
            "without blanks",
            "Idempotency-Key",
        )
    return key.decode("ascii")


def call_of(request: Request[Any, Any, Any]) -> Call:
    """Return the call of a request that passed its guard."""
    headers = dict(request.scope["headers"])
    return Call(request.scope["user"], key_of(headers), notes_in(request.scope))


CallDependency: TypeAlias = NamedDependency[Call]


def note_client_id(scope: Scope, value: bytes) -> None:
    """Note the client's id of the request, if it is short and safe to log."""
    if SAFE_ID.fullmatch(value) is not None:
        note_correlation(scope, value.decode("ascii"))


def note_correlation(scope: Scope, correlation: str) -> None:
    """Note the correlation id of the request."""
    notes_in(scope)[CORRELATION] = correlation


def correlation_in(scope: Scope) -> str | None:
    """Return the correlation id of the request, if it has one by now."""
    return cast(_Correlation, scope.get(CORRELATION))


def correlation_for(notes: Notes, command_id: CommandId) -> str | None:
    """Return the `correlation` of the meta of a command: the client's id, if any.

    Otherwise the events carry the id of the command. So note that for the request.
    """
    correlation = notes.setdefault(CORRELATION, command_id)
    return None if correlation is command_id else cast(str, correlation)


def note_refusals(scope: Scope, reasons: Sequence[str]) -> None:
    """Note the reason of a refusal: one, or one for each refused order of a batch."""
    notes_in(scope)[REFUSALS] = reasons


def note_problem(scope: Scope, problem: Failure) -> None:
    """Note the reason of a problem, and the id under which a defect is logged."""
    note_refusals(scope, (problem.reason,))
    if problem.correlation is not None:
        note_correlation(scope, problem.correlation)


def ignore(*_: object) -> None:
    """Observe nothing."""


def notes_in(scope: Scope) -> Notes:
    """Return the scope as the place for notes."""
    return cast(Notes, scope)
