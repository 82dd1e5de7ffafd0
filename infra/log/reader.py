"""Reads the log from Postgres: the next facts, all facts, one fact, the next moment.

Log positions may have gaps, where an append was rolled back; they never change order,
because whoever appends holds a lock until the commit.
"""

from collections.abc import Iterator
from typing import LiteralString

from domain.events.register import Fact
from domain.ids import LogPosition, Stream
from infra.log.connection import Datastore
from infra.log.event_codec import EventDecoder, Row
from infra.log.head_listener import LogListener
from infra.log.read_ahead import read_ahead

_BLOCK = 4_000
#: Rows to fetch at once to see where a command ends: most are shorter.
_REST = 100
_COLUMNS: LiteralString = (
    "SELECT notification_id, originator_id, originator_version, state FROM events"
)
_NEXT: LiteralString = (
    _COLUMNS + " WHERE notification_id > %s ORDER BY notification_id LIMIT %s"
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
            return row[0] or 0 if row else 0

    def read(self, after: LogPosition, limit: int) -> list[Fact]:
        facts = self._decoder.facts(self._rows(after, limit))
        if len(facts) < limit:
            return facts
        # The limit may have cut the last command: fetch on to where it ends.
        count = max(limit, _REST)
        while more := self._decoder.facts(self._rows(facts[-1].position, count)):
            rest = _same_command(facts[-1], more)
            facts += rest
            if len(rest) < len(more):
                break
        return facts

    def replay(self, after: LogPosition) -> Iterator[list[Fact]]:
        kept: list[Fact] = []
        for rows in read_ahead(self._blocks(after), name="log-replay"):
            facts = kept + self._decoder.facts(rows)
            cut = _start_of_last_command(facts)
            # The next block may go on with it.
            kept = facts[cut:]
            if cut:
                del facts[cut:]
                yield facts
        if kept:
            yield kept

    def find(self, stream: Stream, version: int) -> Fact | None:
        with self._datastore.rows() as cursor:
            rows: list[Row] = cursor.execute(_AT, (stream, version)).fetchall()
        return next(iter(self._decoder.facts(rows)), None)

    def wait(self, after: LogPosition, seconds: float) -> bool:
        return self._listener.wait(after, seconds)

    def _rows(self, after: LogPosition, limit: int) -> list[Row]:
        with self._datastore.rows() as cursor:
            return cursor.execute(_NEXT, (after, limit), prepare=True).fetchall()

    def _blocks(self, after: LogPosition) -> Iterator[list[Row]]:
        while rows := self._rows(after, _BLOCK):
            yield rows
            after = rows[-1][0]


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
