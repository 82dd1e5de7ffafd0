"""What the core needs from the world, as protocols; `infra` provides them.

All of these are synchronous. The writer calls a `LogWriter` from one thread of its own.
"""

from collections.abc import Iterator, Sequence
from typing import Protocol

import msgspec

from commands.companions import Companion, SignIn
from domain.events.register import Fact, Recorded
from domain.events.security import SecurityEvent
from domain.ids import CommandId, LogPosition, UserId


class LogLost(Exception):
    """The lease or the connection is gone. Nothing more may be assumed about the last
    append: reload from the log and acquire the lease again."""


class LogUnavailable(LogLost):
    """The log cannot be reached just now; nothing was read or changed. Try again."""


class LogWriter(Protocol):
    """The right to append, held by one process: a lease and the connection it is on."""

    @property
    def epoch(self) -> int: ...

    def append(
        self, events: Sequence[Recorded], rows: Sequence[Companion] = ()
    ) -> LogPosition:
        """Commit all events and rows or none; return the first event's log position.

        Positions within one append are consecutive. Raises LogLost.
        """
        ...

    def alive(self) -> bool:
        """Whether the lease is still held and its heartbeat goes on."""
        ...

    def close(self) -> None:
        """Give the lease back, so that a standby need not wait for it to go stale.

        An append under way ends in LogLost, whatever has become of it.
        """
        ...


class Segment(msgspec.Struct, frozen=True):
    """Facts that follow one another in the log: whole commands.

    Log positions have gaps, so they do not prove that no fact is missing. `before`
    does: it is the position of the fact before the first one, 0 if there is none.
    """

    before: LogPosition
    facts: Sequence[Fact]

    @property
    def reached(self) -> LogPosition:
        """The position of the last fact; `before` if there are no facts."""
        return self.facts[-1].position if self.facts else self.before


class LogReader(Protocol):
    """The log, in its one order. Safe to use from any thread.

    While the log cannot be reached, `wait` waits for it to come back. All others raise
    LogUnavailable. Any read may raise LogLost if another log took the place of this one
    meanwhile.
    """

    def head(self) -> LogPosition:
        """The log position of the newest committed event, 0 for an empty log."""
        ...

    def read(self, after: LogPosition, limit: int) -> Segment:
        """Return the next facts after a log position, at least one if there is any.

        The segment may run over `limit`, because it ends where a command does. Its
        `before` is `after` if a fact of this log has that position.
        """
        ...

    def replay(self, after: LogPosition) -> Iterator[Segment]:
        """Yield all facts after a log position, in large segments, none without facts.

        Each segment begins where the one before it ended.
        """
        ...

    def find(self, stream: str, version: int) -> Fact | None:
        """The fact at one place of one stream."""
        ...

    def wait(self, after: LogPosition, seconds: float) -> bool:
        """Block until the head is beyond `after`, at most `seconds`; whether it is."""
        ...


class EventStore(Protocol):
    """The log and the right to extend it."""

    @property
    def reader(self) -> LogReader: ...

    def acquire(self) -> LogWriter | None:
        """Take the lease if it is free or its holder's heartbeat is stale, else None.

        None too while the log cannot be reached: ask again.
        """
        ...


class Snapshot(msgspec.Struct, frozen=True):
    """The state after a log position, in verified, decodable chunks."""

    position: LogPosition
    chunks: Iterator[bytes]


class SnapshotStore(Protocol):
    """Saved states; a cache, never truth."""

    def newest(self) -> Snapshot | None:
        """The newest snapshot whose hash verifies; older ones are tried in turn."""
        ...

    def save(self, position: LogPosition, chunks: Iterator[bytes]) -> None:
        """Write beside, verify, then point to it; the one before it stays."""
        ...


class Clock(Protocol):
    def now(self) -> int:
        """Microseconds since 1970-01-01 UTC, more each time than the time before."""
        ...


class PasswordHasher(Protocol):
    """Slow on purpose: call it from a thread."""

    def hash(self, password: str) -> str: ...

    def verify(self, password_hash: str, password: str) -> bool: ...


class Credentials(Protocol):
    """What logins are checked against. Any server may ask, leading or not."""

    def of(self, claim: str) -> SignIn | None:
        """Return the row of an address by its keyed hash. Raises LogUnavailable."""
        ...


class SecurityNotes(Protocol):
    """Where a server notes what it refused."""

    def note(self, refusal: SecurityEvent) -> None:
        """Keep a refusal for the record. Never waits and never fails.

        The command id of the refusal is its own: a refusal is recorded once by it.
        """
        ...


class SecurityOutbox(Protocol):
    """Notes of all servers, on their way to the writer. All of it: LogUnavailable."""

    def add(self, notes: Sequence[SecurityEvent]) -> None:
        """Keep notes, unless too many are pending. A note that is known stays once."""
        ...

    def pending(self, limit: int) -> list[SecurityEvent]:
        """Return the oldest notes that were neither recorded nor dropped."""
        ...

    def drop(self, note_ids: Sequence[CommandId]) -> None:
        """Give up notes that nobody will record."""
        ...

    def sweep(self) -> None:
        """Forget notes that were recorded or dropped a while ago."""
        ...


class PersonalVault(Protocol):
    """Personal data, sealed under one key per user: erase the key, and it is gone."""

    def claim(self, email: str) -> str:
        """The keyed hash that stands for a normalized e-mail address."""
        ...

    def seal(self, user_id: UserId, plain: str) -> str:
        """Seal a text, making the user's key durable first if there is none yet."""
        ...

    def open(self, user_id: UserId, sealed: str) -> str | None:
        """The text again, or None once the user's key is erased."""
        ...
