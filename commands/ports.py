"""The protocols that the core needs; `infra` implements them.

All methods are synchronous. The writer calls a `LogWriter` from its commit thread.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeAlias

import msgspec

from commands.companions import Companion, SignIn
from domain.events.event import Timestamp
from domain.events.register import Fact, Recorded
from domain.events.security import SecurityEvent, SecurityRefusal
from domain.ids import CommandId, LogPosition, Stream, UserId


class LogLost(Exception):
    """The writer has lost the lease or the connection.

    The last append may or may not be in the log: acquire the lease again and recover
    the state from the log.
    """


class LogUnavailable(LogLost):
    """The log is unavailable; nothing was read or changed. Retry."""


class LogWriter(Protocol):
    """The right to append, which one process holds: a lease on one connection."""

    @property
    def epoch(self) -> int: ...

    def append(
        self, events: Sequence[Recorded], rows: Sequence[Companion] = ()
    ) -> LogPosition:
        """Commit all events and rows or none; return the first event's log position.

        The log positions of one append are consecutive. Raises LogLost.
        """
        ...

    def alive(self) -> bool:
        """Return whether this process holds the lease and its heartbeat continues."""
        ...

    def close(self) -> None:
        """Give the lease back, so that a standby need not wait until it is stale.

        An append in progress raises LogLost, even if Postgres has committed it.
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

    While the log is unavailable, `wait` waits for it and all other methods raise
    LogUnavailable. Any read may raise LogLost if another log replaced this one.
    """

    def head(self) -> LogPosition:
        """Return the log position of the latest event; 0 for an empty log."""
        ...

    def read(self, after: LogPosition, limit: int) -> Segment:
        """Return the next facts after a log position, at least one if there is any.

        The segment may exceed `limit`, because it ends with a whole command. Its
        `before` is `after` if a fact of this log has that position.
        """
        ...

    def replay(self, after: LogPosition) -> Iterator[Segment]:
        """Yield all facts after a log position, in large segments, none without facts.

        Each segment begins at the end of the one before.
        """
        ...

    def find(self, stream: Stream, version: int) -> Fact | None:
        """Return the fact with this version of a stream."""
        ...

    def wait(self, after: LogPosition, seconds: float) -> bool:
        """Block for at most `seconds`; return whether the head is beyond `after`."""
        ...


class EventStore(Protocol):
    """The log and the right to extend it."""

    @property
    def reader(self) -> LogReader: ...

    def acquire(self) -> LogWriter | None:
        """Acquire the lease if it is free or its holder's heartbeat is stale.

        Return None if another process holds it, or while the log is unavailable.
        """
        ...


class Snapshot(msgspec.Struct, frozen=True):
    """The state after a log position, in verified, decodable chunks."""

    position: LogPosition
    chunks: Iterator[bytes]


class SnapshotStore(Protocol):
    """Saved states: a cache, never the truth."""

    def newest(self) -> Snapshot | None:
        """Return the newest snapshot whose hash verifies, if there is one."""
        ...

    def save(self, position: LogPosition, chunks: Iterator[bytes]) -> None:
        """Write and verify a snapshot, then make it the newest; keep the one before."""
        ...


class Clock(Protocol):
    def now(self) -> Timestamp:
        """Return microseconds since 1970-01-01 UTC, more than in the call before."""
        ...


class WatchedClock(Clock, Protocol):
    """A clock that does not follow a large step of the system's clock by itself."""

    def step(self) -> int | None:
        """Return the step that nobody has confirmed, or None if the clocks agree.

        It is how far the system's clock is ahead of this one, in microseconds.
        """
        ...

    def confirm(self, ahead: int) -> None:
        """Follow the system's clock, unless it shows another step by now."""
        ...

    def not_before(self, newest: Timestamp) -> None:
        """Take the time of the newest fact of the log as a lower limit."""
        ...


#: Returns an id that no other id equals. It fits every kind of id, so the caller names
#: the kind: `order_id: OrderId = new_id()`.
NewId: TypeAlias = Callable[[], Any]


class PasswordHasher(Protocol):
    """Hashes passwords, slowly on purpose: call it from a thread."""

    def hash(self, password: str) -> str: ...

    def verify(self, password_hash: str, password: str) -> bool: ...


class Credentials(Protocol):
    """The credentials of all users. Every server may read them, leading or not."""

    def of(self, claim: str) -> SignIn | None:
        """Return the row of an address by its keyed hash. Raises LogUnavailable."""
        ...


class SecurityNotes(Protocol):
    """The notes of one server about its refusals."""

    def note(self, refusal: SecurityRefusal) -> None:
        """Note a refusal for the record. Never waits and never fails.

        Each refusal has a unique command id, by which the writer records it once.
        """
        ...


class SecurityOutbox(Protocol):
    """The notes of all servers for the writer. Methods may raise LogUnavailable."""

    def add(self, notes: Sequence[SecurityEvent]) -> None:
        """Store notes, unless too many are pending. A note is stored once."""
        ...

    def pending(self, limit: int) -> list[SecurityEvent]:
        """Return the oldest notes that the writer has neither recorded nor dropped."""
        ...

    def drop(self, note_ids: Sequence[CommandId]) -> None:
        """Drop notes that the writer cannot record."""
        ...

    def sweep(self) -> None:
        """Delete notes that were recorded or dropped some time ago."""
        ...


class PersonalVault(Protocol):
    """Personal data, sealed with one key per user: erase the key, and it is gone."""

    def claim(self, email: str) -> str:
        """Return the keyed hash of a normalized e-mail address."""
        ...

    def seal(self, user_id: UserId, plain: str) -> str:
        """Seal a text; create a durable key first if the user has none."""
        ...

    def open(self, user_id: UserId, sealed: str) -> str | None:
        """Return the text, or None if the user's key was erased."""
        ...
