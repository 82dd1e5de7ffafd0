"""The context of a request: its caller, correlation id and idempotency key."""

import re
from typing import Any, TypeAlias

import msgspec
from litestar import Request
from litestar.di import NamedDependency

from api.http.auth import Caller
from api.http.request_errors import BadParameter

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
