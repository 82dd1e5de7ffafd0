"""A log in memory whose commits wait, fail or lose their answers as a test wants."""

import threading
from collections.abc import Iterator, Sequence
from enum import Enum, auto

from commands.companions import Companion
from commands.ports import LogLost, LogReader, LogUnavailable, LogWriter, Segment
from domain.events.register import Fact, Recorded
from domain.ids import LogPosition
from tests.support.memory import MemoryEventStore

#: A test that passes never waits that long.
PATIENCE = 20


class Trouble(Enum):
    """The fate of an append."""

    NONE = auto()
    LOST = auto()
    ANSWER_LOST = auto()
    DEFECT = auto()


class Gate:
    """A gate that threads pass, or at which they wait until the test opens it."""

    def __init__(self) -> None:
        #: Set when a thread has come to the gate.
        self.arrived = threading.Event()
        self._open = threading.Event()
        self._open.set()

    def hold(self) -> None:
        self.arrived.clear()
        self._open.clear()

    def let_go(self) -> None:
        self._open.set()

    def go_through(self) -> None:
        self.arrived.set()
        assert self._open.wait(PATIENCE), "nobody opened the gate"


class TroubledStore:
    """An `EventStore`. `appends` are the numbers of facts of each append."""

    def __init__(self) -> None:
        self.log = MemoryEventStore()
        self.trouble = Trouble.NONE
        self.appends: list[int] = []
        #: Set when a writer has tried to acquire the lease.
        self.asked = threading.Event()
        self.is_away = False
        self.commits, self.replays, self.finds = Gate(), Gate(), Gate()
        self._replays_to_fail = 0

    @property
    def reader(self) -> "TroubledReader":
        return TroubledReader(self)

    def acquire(self) -> "TroubledWriter | None":
        is_away = self.is_away
        self.asked.set()
        if is_away:
            raise LogUnavailable("away")
        log = self.log.acquire()
        return None if log is None else TroubledWriter(self, log)

    def fail_replays(self, count: int) -> None:
        """Let the next `count` attempts to replay the log fail."""
        self._replays_to_fail = count

    def check_replay(self) -> None:
        self.replays.go_through()
        if self._replays_to_fail:
            self._replays_to_fail -= 1
            raise LogUnavailable("away")

    def append(
        self, log: LogWriter, events: Sequence[Recorded], rows: Sequence[Companion]
    ) -> LogPosition:
        self.commits.go_through()
        trouble, self.trouble = self.trouble, Trouble.NONE
        if trouble is Trouble.DEFECT:
            raise ZeroDivisionError("a defect")
        if trouble is Trouble.LOST:
            log.close()
            raise LogLost("before the commit")
        first = log.append(events, rows)
        self.appends.append(len(events))
        if trouble is Trouble.ANSWER_LOST:
            log.close()
            raise LogLost("after the commit")
        return first


class TroubledReader:
    """A `LogReader` of a log that may be away."""

    def __init__(self, store: TroubledStore) -> None:
        self._store = store

    @property
    def _reader(self) -> LogReader:
        if self._store.is_away:
            raise LogUnavailable("away")
        return self._store.log.reader

    def head(self) -> LogPosition:
        return self._reader.head()

    def read(self, after: LogPosition, limit: int) -> Segment:
        return self._reader.read(after, limit)

    def replay(self, after: LogPosition) -> Iterator[Segment]:
        self._store.check_replay()
        return self._reader.replay(after)

    def find(self, stream: str, version: int) -> Fact | None:
        self._store.finds.go_through()
        return self._reader.find(stream, version)

    def wait(self, after: LogPosition, seconds: float) -> bool:
        return self._reader.wait(after, seconds)


class TroubledWriter:
    """A `LogWriter`."""

    def __init__(self, store: TroubledStore, log: LogWriter) -> None:
        self._store = store
        self._log = log

    @property
    def epoch(self) -> int:
        return self._log.epoch

    def append(
        self, events: Sequence[Recorded], rows: Sequence[Companion] = ()
    ) -> LogPosition:
        return self._store.append(self._log, events, rows)

    def alive(self) -> bool:
        return self._log.alive()

    def close(self) -> None:
        self._log.close()
