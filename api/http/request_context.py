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

#: Keys of the scope. The caller is under `user`, as the framework has it.
CORRELATION = "bourse.correlation"
REFUSALS = "bourse.refusals"

#: The arguments are the scope, the template of the route (None if no route matches),
#: the method, the status, and the seconds from the request's head to its last byte.
Observe: TypeAlias = Callable[[Mapping[str, object], str | None, str, int, float], None]
#: The server accepts no other correlation ids.
SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
#: Visible ASCII without the blank: HTTP strips blanks around a header's value, so a
#: blank in a key could get lost.
KEY_CHARACTERS = "[!-~]"
KEY_LENGTH_MAX = 128

_KEY = re.compile(f"{KEY_CHARACTERS}{{1,{KEY_LENGTH_MAX}}}".encode())


class Call(msgspec.Struct, frozen=True):
    """A caller's request. `correlation` is the client's id, `key` makes it once."""

    caller: Caller
    correlation: str | None
    key: str | None

    def for_part(self, name: str) -> "Call":
        """Return the call of one of several commands of the request."""
        if self.key is None:
            return self
        # A client's key cannot contain a blank, so part keys never collide with one.
        return Call(self.caller, self.correlation, f"{self.key} {name}")


def correlation_of(headers: dict[bytes, bytes]) -> str | None:
    """Return the client's request id if it is short and safe to log."""
    value = headers.get(b"x-request-id")
    if value is None or SAFE_ID.fullmatch(value) is None:
        return None
    return value.decode("ascii")


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
    return Call(request.scope["user"], correlation_of(headers), key_of(headers))


CallDependency: TypeAlias = NamedDependency[Call]


def note_correlation(scope: Scope, correlation: str) -> None:
    """Note the client's id of the request."""
    _notes(scope)[CORRELATION] = correlation


def note_refusals(scope: Scope, reasons: Sequence[str]) -> None:
    """Note the reason of a refusal: one, or one for each refused order of a batch."""
    _notes(scope)[REFUSALS] = reasons


def note_problem(scope: Scope, problem: Failure) -> None:
    """Note the reason of a problem, and the id under which a defect is logged."""
    note_refusals(scope, (problem.reason,))
    for name, value in problem.headers:
        if name == b"x-request-id":
            note_correlation(scope, value.decode())


def ignore(*_: object) -> None:
    """Observe nothing."""


def _notes(scope: Scope) -> MutableMapping[str, object]:
    return cast(MutableMapping[str, object], scope)
