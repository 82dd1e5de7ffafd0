"""The log and its companion tables in memory: the twins that tests run on.

They meet the same contracts as the adapters of Postgres (tests/infra/contract_*.py),
and share their awkward properties: stored events are JSON, a refused append leaves a
gap in the log positions, and a lost lease stays lost.
"""

import hashlib
import threading
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import msgspec

from commands.companions import Companion, NoteRecorded, RolesOf, SignIn
from commands.ports import LogLost, Segment, Snapshot
from domain.events.register import Fact, Recorded
from domain.events.security import SecurityEvent
from domain.ids import LOG_START, CommandId, LogPosition, Stream, UserId
from infra.log.event_codec import EventDecoder, Row, encode_event
from infra.security.installation_secret import InstallationKeys
from infra.security.personal_data import Vault
from infra.security.security_outbox import PENDING_MAX

_BLOCK = 1_000


class MemoryLogReader:
    """A `LogReader`."""

    def __init__(self) -> None:
        self._rows: list[Row] = []
        self._places: dict[tuple[Stream, int], Row] = {}
        self._latest = LOG_START
        self._decoder = EventDecoder()
        self._moved = threading.Condition()

    def head(self) -> LogPosition:
        with self._moved:
            return self._rows[-1][0] if self._rows else LOG_START

    def read(self, after: LogPosition, limit: int) -> Segment:
        with self._moved:
            rows = self._rows
            start = bisect_right(rows, after, key=_position)
            end = min(start + limit, len(rows))
            facts = self._decoder.facts(rows[start:end])
            for place in range(end, len(rows)):
                following = self._decoder.facts(rows[place : place + 1])
                if _command(following[0]) != _command(facts[-1]):
                    break
                facts += following
            return Segment(rows[start - 1][0] if start else 0, facts)

    def replay(self, after: LogPosition) -> Iterator[Segment]:
        while (segment := self.read(after, _BLOCK)).facts:
            yield segment
            after = segment.reached

    def find(self, stream: Stream, version: int) -> Fact | None:
        with self._moved:
            row = self._places.get((stream, version))
        return self._decoder.facts([row])[0] if row else None

    def wait(self, after: LogPosition, seconds: float) -> bool:
        with self._moved:
            return self._moved.wait_for(
                lambda: bool(self._rows) and self._rows[-1][0] > after, seconds
            )

    def extend(self, events: Sequence[Recorded]) -> LogPosition:
        """Add all of the events or none, and return the log position of the first."""
        with self._moved:
            first = self._latest + 1
            # As with a sequence in Postgres: a number that was drawn never comes back.
            self._latest += len(events)
            rows: list[Row] = [
                (first + n, each.stream, each.version, encode_event(each.event))
                for n, each in enumerate(events)
            ]
            places = {row[1:3]: row for row in rows}
            if len(places) < len(rows) or places.keys() & self._places.keys():
                raise LogLost("another event has that place in its stream")
            self._places |= places
            self._rows += rows
            self._moved.notify_all()
            return first


def _position(row: Row) -> LogPosition:
    return row[0]


def _command(fact: Fact) -> str:
    return fact.event.meta.command_id


class MemoryLogWriter:
    """A `LogWriter`."""

    def __init__(self, store: "MemoryEventStore", epoch: int) -> None:
        self._store = store
        self._epoch = epoch
        self._is_lost = False

    @property
    def epoch(self) -> int:
        return self._epoch

    def append(
        self, events: Sequence[Recorded], rows: Sequence[Companion] = ()
    ) -> LogPosition:
        assert events, "an append has at least one event"
        if not self.alive():
            raise LogLost("this writer has lost or returned the lease")
        try:
            first = self._store.reader.extend(events)
        except LogLost:
            self.close()
            raise
        for row in rows:
            if isinstance(row, NoteRecorded):
                self._store.outbox.drop([row.note_id])
            else:
                self._store.credentials.keep(row)
        return first

    def alive(self) -> bool:
        return not self._is_lost and self._store.epoch_held == self._epoch

    def close(self) -> None:
        self._is_lost = True
        if self._store.epoch_held == self._epoch:
            self._store.break_lease()


class MemoryEventStore:
    """An `EventStore`. All users of one log share this object."""

    def __init__(self) -> None:
        self._reader = MemoryLogReader()
        self.credentials = MemoryCredentials()
        self.outbox = MemorySecurityOutbox()
        self._epochs = 0
        #: None while nobody may append.
        self.epoch_held: int | None = None

    @property
    def reader(self) -> MemoryLogReader:
        return self._reader

    def acquire(self) -> MemoryLogWriter | None:
        if self.epoch_held is not None:
            return None
        self._epochs += 1
        self.epoch_held = self._epochs
        return MemoryLogWriter(self, self._epochs)

    def break_lease(self) -> None:
        """Take the right to append from the holder, as a lost connection does."""
        self.epoch_held = None


class MemoryCredentials:
    """A `Credentials`, filled by appends."""

    def __init__(self) -> None:
        self._by_claim: dict[str, SignIn] = {}

    def of(self, claim: str) -> SignIn | None:
        return self._by_claim.get(claim)

    def keep(self, row: SignIn | RolesOf) -> None:
        if isinstance(row, SignIn):
            self._by_claim[row.claim] = row
            return
        for claim, known in self._by_claim.items():
            if known.user_id == row.user_id:
                self._by_claim[claim] = msgspec.structs.replace(known, roles=row.roles)


class MemorySecurityOutbox:
    """A `SecurityOutbox`. A handled note is None."""

    def __init__(self) -> None:
        self._notes: dict[CommandId, SecurityEvent | None] = {}

    def add(self, notes: Sequence[SecurityEvent]) -> None:
        for note in notes:
            if len(self.pending(PENDING_MAX)) < PENDING_MAX:
                self._notes.setdefault(note.meta.command_id, note)

    def pending(self, limit: int) -> list[SecurityEvent]:
        return [each for each in self._notes.values() if each is not None][:limit]

    def drop(self, note_ids: Sequence[CommandId]) -> None:
        self._notes |= {each: None for each in note_ids if each in self._notes}

    def sweep(self) -> None:
        """Do nothing: a log in memory does not live long."""


class MemorySnapshotStore:
    """A `SnapshotStore`."""

    def __init__(self) -> None:
        self._saved: dict[LogPosition, tuple[list[bytes], bytes]] = {}

    def newest(self) -> Snapshot | None:
        for position in sorted(self._saved, reverse=True):
            chunks, digest = self._saved[position]
            if _digest(chunks) == digest:
                return Snapshot(position, iter(chunks))
        return None

    def save(self, position: LogPosition, chunks: Iterator[bytes]) -> None:
        whole = list(chunks)
        self._saved[position] = whole, _digest(whole)
        for old in sorted(self._saved)[:-2]:
            del self._saved[old]

    def damage(self, position: LogPosition) -> None:
        """Change a stored chunk, as a failing disk does."""
        chunks, _ = self._saved[position]
        chunks[0] = bytes(byte ^ 1 for byte in chunks[0])


def _digest(chunks: list[bytes]) -> bytes:
    digest = hashlib.sha256()
    for chunk in chunks:
        digest.update(chunk)
    return digest.digest()


class MemoryKeyTable:
    """A `KeyTable`."""

    def __init__(self) -> None:
        self._wrapped: dict[UserId, bytes] = {}

    def get(self, user_id: UserId) -> bytes | None:
        return self._wrapped.get(user_id)

    def add(self, user_id: UserId, wrapped: bytes) -> bytes:
        return self._wrapped.setdefault(user_id, wrapped)

    def erase(self, user_id: UserId) -> None:
        self._wrapped.pop(user_id, None)


def memory_vault(table: MemoryKeyTable | None = None) -> Vault:
    """Return a `PersonalVault` with the keys of an invented installation."""
    return Vault(table or MemoryKeyTable(), InstallationKeys("in memory only"))
