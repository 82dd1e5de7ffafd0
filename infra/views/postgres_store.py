"""The read models in Postgres: view and checkpoint move in one transaction.

A read sees one snapshot. A write moves each checkpoint only from the position that the
write expects. The commit does not wait for the disk. A crash can therefore lose the
newest commits, rows and checkpoint together, and the log gives them again. A durable
commit of the log also makes durable what the views wrote before it.

The store removes a generation in parts, so that nothing waits for a large one.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import files
from typing import LiteralString

import psycopg
from psycopg.rows import TupleRow

from infra.log.connection import connect
from infra.views.postgres_snapshot import NAMED, SET_LIVE, Connection, answers, run
from infra.views.postgres_statements import Statement, writing
from projections.store import (
    Generation,
    Message,
    Place,
    ReadResult,
    Request,
    Step,
    StoreDown,
    View,
    applied_message,
)

PAGE_SIZE = 1_000
#: The most rows, and the most entries, that one `drop` removes.
DROPPED_AT_ONCE = 20_000
_TABLES = files("infra.log").joinpath("sql", "0004_history_views.sql")

_NEXT_ID = "SELECT nextval(pg_get_serial_sequence('view_generations', 'id'))"
# Both divide by zero, which undoes the whole write, unless one row is as expected.
_BEGIN = """
    WITH begun AS (
        INSERT INTO view_generations (id, view, generation, checkpoint)
        SELECT %s, %s, %s, %s WHERE NOT %s ON CONFLICT (view, generation) DO NOTHING
        RETURNING id
    ) SELECT 1 / count(*) FROM begun
"""
_MOVE = """
    WITH moved AS (
        UPDATE view_generations SET checkpoint = %s
        WHERE id = %s AND checkpoint = %s AND live = %s RETURNING id
    ) SELECT 1 / count(*) FROM moved
"""
_OF_VIEW = """
    SELECT generation, checkpoint, live FROM view_generations WHERE view = %s FOR UPDATE
"""
_CONDEMN = """
    UPDATE view_generations SET checkpoint = NULL
    WHERE view = %s AND generation = %s AND NOT live RETURNING id
"""
_DROP_ROWS = """
    DELETE FROM view_rows WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM view_rows WHERE generation_id = %s LIMIT %s
    ))
"""
_DROP_ENTRIES = """
    DELETE FROM view_entries WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM view_entries WHERE generation_id = %s LIMIT %s
    ))
"""
_FORGET = "DELETE FROM view_generations WHERE id = %s"
_KEYS = """
    SELECT key FROM view_rows WHERE generation_id = %s AND name = %s AND key > %s
    ORDER BY key LIMIT %s
"""
_ENTRIES = """
    SELECT score, member FROM view_entries WHERE generation_id = %s AND collection = %s
        AND (score, member) > (%s, %s) ORDER BY score, member LIMIT %s
"""


def _moving(step: Step, generation_id: int) -> Statement:
    """Return the statement that moves a checkpoint or fails."""
    if step.expected is None:
        name, generation = step.view.name, step.generation
        return _BEGIN, (generation_id, name, generation, step.reached, step.live)
    return _MOVE, (step.reached, generation_id, step.expected, step.live)


class _Unexpected(Exception):
    """A generation is not where a write expects it."""


def publish_nothing(_messages: Sequence[Message]) -> None:
    """Drop the messages of a store that has no readers."""


class PostgresStore:
    """The synchronous store, for hosts. Each thread needs an instance.

    `publish` sends messages after the commit. A message may be lost: readers look at
    the checkpoints too.
    """

    def __init__(
        self,
        database_url: str,
        *,
        publish: Callable[[Sequence[Message]], None] = publish_nothing,
    ) -> None:
        self._database_url = database_url
        self._publish = publish
        self._connection: Connection | None = None
        # Never invalid: no two generations share an id, no two fillings a name.
        self._ids: dict[tuple[str, Generation], int] = {}

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    @contextmanager
    def _connected(self) -> Generator[Connection]:
        """Use the connection; connect again after an outage. Raises StoreDown."""
        try:
            if self._connection is None:
                self._connection = connect(self._database_url, name="bourse-views")
                self._connection.execute("SET synchronous_commit = off")
            yield self._connection
        except psycopg.errors.DivisionByZero as reason:
            # The error undid preparations of statements that psycopg still relies on.
            self.close()
            raise _Unexpected from reason
        except psycopg.errors.UndefinedTable as reason:
            self._make_tables()
            raise StoreDown(
                "a table was missing; the views are being filled again"
            ) from reason
        except psycopg.Error as reason:
            self.close()
            raise StoreDown(str(reason)) from reason

    def _make_tables(self) -> None:
        """Create missing tables. Remove all generations: they lost a part."""
        assert self._connection is not None
        try:
            with self._connection.transaction():
                self._connection.execute(_TABLES.read_bytes())
                self._connection.execute(
                    "TRUNCATE view_generations, view_rows, view_entries"
                )
        except psycopg.Error as reason:
            self.close()
            raise StoreDown(str(reason)) from reason

    def read(self, requests: Sequence[Request]) -> list[ReadResult | None]:
        with self._connected() as connection:
            return answers(connection, requests)

    def write(self, steps: Sequence[Step], messages: Sequence[Message]) -> bool:
        try:
            with self._connected() as connection:
                ids = [self._generation_id(connection, each) for each in steps]
                # In a pipeline all statements are one transaction, in one round trip.
                with connection.pipeline():
                    for step, generation_id in zip(steps, ids, strict=True):
                        run(connection, *_moving(step, generation_id))
                        for statement in writing(generation_id, step.changes):
                            run(connection, *statement)
        except _Unexpected:
            return False
        for step, generation_id in zip(steps, ids, strict=True):
            self._ids[step.view.name, step.generation] = generation_id
        self._publish(messages)
        return True

    def _generation_id(self, connection: Connection, step: Step) -> int:
        """Return the id of a generation; a new id if this step begins it."""
        place = step.view.name, step.generation
        if step.expected is not None and place in self._ids:
            return self._ids[place]
        look = (_NEXT_ID, ()) if step.expected is None else (NAMED, place)
        row = run(connection, *look).fetchone()
        if row is None:
            raise _Unexpected
        return row[0]

    def switch(self, view: View, place: Place) -> bool:
        with self._connected() as connection, connection.transaction():
            rows = connection.execute(_OF_VIEW, (view.name,)).fetchall()
            checkpoints = {generation: at for generation, at, _ in rows}
            if checkpoints.get(place.generation) != place.checkpoint:
                return False
            for generation, checkpoint, live in rows:
                if live and (checkpoint or 0) > place.checkpoint:
                    return False
                if live:
                    connection.execute(SET_LIVE, (False, view.name, generation))
            connection.execute(SET_LIVE, (True, view.name, place.generation))
        generations = {view.name: place.generation}
        self._publish([applied_message(place.checkpoint, generations)])
        return True

    def retire(self, view: View, generation: Generation) -> None:
        with self._connected() as connection:
            connection.execute(SET_LIVE, (False, view.name, generation))

    def generations(self, view: View) -> list[Generation]:
        rows = self._rows(
            "SELECT generation FROM view_generations WHERE view = %s ORDER BY 1",
            (view.name,),
        )
        return [generation for (generation,) in rows]

    def tables(self, view: View, generation: Generation) -> Iterator[str]:
        rows = self._rows(
            "SELECT DISTINCT name FROM view_rows WHERE generation_id = %s",
            (self._id(view, generation),),
        )
        return (name for (name,) in rows)

    def collections(self, view: View, generation: Generation) -> Iterator[str]:
        rows = self._rows(
            "SELECT DISTINCT collection FROM view_entries WHERE generation_id = %s",
            (self._id(view, generation),),
        )
        return (collection for (collection,) in rows)

    def keys(
        self, view: View, generation: Generation, table: str
    ) -> Iterator[list[bytes]]:
        generation_id, last = self._id(view, generation), ""
        while page := self._rows(_KEYS, (generation_id, table, last, PAGE_SIZE)):
            yield [key.encode() for (key,) in page]
            last = page[-1][0]

    def entries(
        self, view: View, generation: Generation, collection: str
    ) -> Iterator[list[tuple[int, bytes]]]:
        generation_id, last = self._id(view, generation), (-(2**63), "")
        while page := self._rows(
            _ENTRIES, (generation_id, collection, *last, PAGE_SIZE)
        ):
            yield [(score, member.encode()) for score, member in page]
            last = page[-1][0], page[-1][1]

    def _id(self, view: View, generation: Generation) -> int | None:
        rows = self._rows(NAMED, (view.name, generation))
        return rows[0][0] if rows else None

    def _rows(
        self, statement: LiteralString, values: tuple[object, ...]
    ) -> list[TupleRow]:
        with self._connected() as connection:
            return connection.execute(statement, values).fetchall()

    def drop(self, view: View, generation: Generation) -> bool:
        with self._connected() as connection:
            row = connection.execute(_CONDEMN, (view.name, generation)).fetchone()
            if row is None:
                return True
            some = (row[0], DROPPED_AT_ONCE)
            removed = [
                connection.execute(statement, some).rowcount
                for statement in (_DROP_ROWS, _DROP_ENTRIES)
            ]
            is_gone = max(removed) < DROPPED_AT_ONCE
            if is_gone:
                connection.execute(_FORGET, (row[0],))
            return is_gone
