"""Counts what is committed, around any `EventStore`: once a batch, in its thread."""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from time import perf_counter

import structlog

from commands.companions import Companion
from commands.ports import EventStore, LogLost, LogReader, LogWriter
from domain.events.register import AnyEvent, Recorded
from domain.ids import LogPosition
from infra.observe.histogram import FACTS, Histogram

_event_of = attrgetter("event")

_log = structlog.get_logger(__name__)


class Commits:
    """The commits of one server. Only the commit thread writes."""

    def __init__(self) -> None:
        self.durations = Histogram()
        self.sizes = Histogram(FACTS)
        self.facts: Counter[type[AnyEvent]] = Counter()
        #: Commits that got no answer.
        self.in_doubt = 0
        #: Why the newest of them got none, until the writer leads again.
        self.reason = ""


class ObservedEventStore:
    """An `EventStore` that counts the appends of another."""

    def __init__(self, store: EventStore, commits: Commits) -> None:
        self._store = store
        self._commits = commits

    @property
    def reader(self) -> LogReader:
        return self._store.reader

    def acquire(self) -> LogWriter | None:
        writer = self._store.acquire()
        return None if writer is None else _ObservedLogWriter(writer, self._commits)


class _ObservedLogWriter:
    def __init__(self, writer: LogWriter, commits: Commits) -> None:
        self._writer = writer
        self._commits = commits
        self.alive = writer.alive
        self.close = writer.close

    @property
    def epoch(self) -> int:
        return self._writer.epoch

    def append(
        self, events: Sequence[Recorded], rows: Sequence[Companion] = ()
    ) -> LogPosition:
        commits = self._commits
        began = perf_counter()
        try:
            first = self._writer.append(events, rows)
        except LogLost as loss:
            commits.in_doubt += 1
            commits.reason = first_line(loss)
            _log.error("commit_in_doubt", facts=len(events), reason=commits.reason)
            raise
        commits.durations.observe(perf_counter() - began)
        commits.sizes.observe(len(events))
        commits.facts.update(map(type, map(_event_of, events)))
        return first


def first_line(reason: BaseException) -> str:
    """Return the first line of a reason; drivers add lines of advice.

    >>> first_line(OSError("the server hung up\\n\\tThis probably means that …"))
    'the server hung up'
    """
    return str(reason).strip().partition("\n")[0] or type(reason).__name__
