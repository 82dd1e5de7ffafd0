"""Reads the log from Postgres: the next facts, all facts, one fact, the head.

Log positions have gaps, because an append that is rolled back returns none. They
never change order, because an append holds a lock until its commit.
"""

from collections.abc import Iterator
from typing import LiteralString

from commands.ports import LogLost, Segment
from domain.events.register import Fact
from domain.ids import LOG_START, LogPosition, Stream
from infra.log.connection import Datastore
from infra.log.event_codec import EventDecoder, Row
from infra.log.head_listener import LogListener
from infra.log.read_ahead import read_ahead

_BLOCK = 4_000
#: How many rows to fetch at once to find the end of a command. Most are shorter.
_REST = 100
_COLUMNS: LiteralString = (
    "SELECT notification_id, originator_id, originator_version, state FROM events"
)
#: The last row up to a position, and the rows after it.
_NEXT: LiteralString = (
    _COLUMNS + " WHERE notification_id >= coalesce("
    "(SELECT max(notification_id) FROM events WHERE notification_id <= %s), 0) "
    "ORDER BY notification_id LIMIT %s"
)
_AT: LiteralString = _COLUMNS + " WHERE originator_id = %s AND originator_version = %s"
_HEAD = "SELECT max(notification_id) FROM events"


class PostgresLogReader:
    """A `LogReader`. Threads share its pool of connections."""

    def __init__(
        self,
        datastore: Datastore,
        listener: LogListener,
        decoder: EventDecoder | None = None,
    ) -> None:
        self._datastore = datastore
        self._listener = listener
        self._decoder = decoder or EventDecoder()

    def head(self) -> LogPosition:
        with self._datastore.rows() as cursor:
            row = cursor.execute(_HEAD, prepare=True).fetchone()
            return row[0] or LOG_START if row else LOG_START

    def read(self, after: LogPosition, limit: int) -> Segment:
        before, rows = self._rows(after, limit)
        facts = self._decoder.facts(rows)
        if len(facts) < limit:
            return Segment(before, facts)
        # The limit may have cut the last command: fetch the rest of it.
        count = max(limit, _REST)
        while more := self._decoder.facts(self._following(facts[-1].position, count)):
            rest = _same_command(facts[-1], more)
            facts += rest
            if len(rest) < len(more):
                break
        return Segment(before, facts)

    def replay(self, after: LogPosition) -> Iterator[Segment]:
        before, rows = self._rows(after, _BLOCK)
        last_command: list[Fact] = []
        for more in read_ahead(self._blocks(rows), name="log-replay"):
            facts = last_command + self._decoder.facts(more)
            cut = _start_of_last_command(facts)
            # The next block may continue the last command.
            last_command = facts[cut:]
            if cut:
                del facts[cut:]
                yield Segment(before, facts)
                before = facts[-1].position
        if last_command:
            yield Segment(before, last_command)

    def find(self, stream: Stream, version: int) -> Fact | None:
        with self._datastore.rows() as cursor:
            rows: list[Row] = cursor.execute(_AT, (stream, version)).fetchall()
        return next(iter(self._decoder.facts(rows)), None)

    def wait(self, after: LogPosition, seconds: float) -> bool:
        return self._listener.wait(after, seconds)

    def _rows(self, after: LogPosition, limit: int) -> tuple[LogPosition, list[Row]]:
        """Return the rows after a position, and the position of the row before them."""
        with self._datastore.rows() as cursor:
            cursor.execute(_NEXT, (after, limit + 1), prepare=True)
            rows: list[Row] = cursor.fetchall()
        if rows and rows[0][0] <= after:
            return rows[0][0], rows[1:]
        return LOG_START, rows[:limit]

    def _following(self, after: LogPosition, limit: int) -> list[Row]:
        """Return the rows after an existing row. Raises LogLost if that row is gone."""
        before, rows = self._rows(after, limit)
        if before != after:
            raise LogLost(f"the log has no event at log position {after} any more")
        return rows

    def _blocks(self, rows: list[Row]) -> Iterator[list[Row]]:
        while rows:
            yield rows
            rows = self._following(rows[-1][0], _BLOCK)


def _same_command(last: Fact, facts: list[Fact]) -> list[Fact]:
    command = last.event.meta.command_id
    for count, fact in enumerate(facts):
        if fact.event.meta.command_id != command:
            return facts[:count]
    return facts


def _start_of_last_command(facts: list[Fact]) -> int:
    command = facts[-1].event.meta.command_id
    start = len(facts) - 1
    while start and facts[start - 1].event.meta.command_id == command:
        start -= 1
    return start
