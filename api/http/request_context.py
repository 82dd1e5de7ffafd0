"""One request as a command or a query sees it: who, under which ids."""

import re
from typing import Any, TypeAlias

import msgspec
from litestar import Request
from litestar.di import NamedDependency

from api.http.auth import Caller
from api.http.request_errors import BadParameter

#: A correlation id that is taken over from the caller, and nothing else is.
SAFE_ID = re.compile(rb"[A-Za-z0-9._:/+=@-]{1,128}")
#: All that can be seen of ASCII: a blank around a header's value is none of its own,
#: so one within a key would be a trap.
KEY_CHARACTERS = "[!-~]"
KEY_LENGTH_MAX = 128

_KEY = re.compile(f"{KEY_CHARACTERS}{{1,{KEY_LENGTH_MAX}}}".encode())


class Call(msgspec.Struct, frozen=True):
    """`correlation` is the caller's own id of the request, `key` makes it once."""

    caller: Caller
    correlation: str | None
    key: str | None

    def for_part(self, name: str) -> "Call":
        """The call for one of several commands that a request comes to."""
        if self.key is None:
            return self
        # No key that a caller chooses has a blank in it.
        return Call(self.caller, self.correlation, f"{self.key} {name}")


def correlation_of(headers: dict[bytes, bytes]) -> str | None:
    """The request id that the caller chose, if it is short and harmless."""
    value = headers.get(b"x-request-id")
    if value is None or SAFE_ID.fullmatch(value) is None:
        return None
    return value.decode("ascii")


def key_of(headers: dict[bytes, bytes]) -> str | None:
    """The `Idempotency-Key`, if there is one.

    Raises:
        BadParameter: it is empty or too long, or has a blank or an odd character.
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
    """What a guarded route knows of its request."""
    headers = dict(request.scope["headers"])
    return Call(request.scope["user"], correlation_of(headers), key_of(headers))


GivenCall: TypeAlias = NamedDependency[Call]
