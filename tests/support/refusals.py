"""Facts of the security log, which any sound log may have any number of."""

import itertools

from domain.events.event import Meta
from domain.events.register import Recorded
from domain.events.security import LoginFailed

AT = 1_763_930_000_000_000
STREAM = "security-log"


class Refusals:
    """A stream that grows: each call adds failed logins, each a command."""

    def __init__(self) -> None:
        self._numbers = itertools.count(1)

    def events(self, count: int = 1) -> list[Recorded]:
        return [self._event(n) for n in itertools.islice(self._numbers, count)]

    def _event(self, number: int) -> Recorded:
        meta = Meta(AT + number, "anonymous", f"refusal-{number}")
        return Recorded(STREAM, number, LoginFailed(meta, "6a1c"))
