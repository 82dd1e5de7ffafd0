"""Reads of the read models in Postgres, from one snapshot of the database."""

from collections.abc import Sequence
from typing import Any, LiteralString, TypeAlias

import psycopg
from psycopg.rows import TupleRow, tuple_row

from infra.views.postgres_statements import reading, reply
from projections.store import ReadResult, Request

#: The id, name and checkpoint of the generation of that name.
NAMED: LiteralString = """
    SELECT id, generation, checkpoint FROM view_generations
    WHERE view = %s AND generation = %s AND checkpoint IS NOT NULL
"""
#: Makes a generation live or retires it.
SET_LIVE: LiteralString = """
    UPDATE view_generations SET live = %s WHERE view = %s AND generation = %s
"""
_LIVE = """
    SELECT id, generation, checkpoint FROM view_generations
    WHERE view = %s AND live AND starts_with(generation, %s) AND checkpoint IS NOT NULL
"""
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"

Connection: TypeAlias = psycopg.Connection[Any]
Cursor: TypeAlias = psycopg.Cursor[TupleRow]


def run(
    connection: Connection, statement: LiteralString, values: Sequence[object] = ()
) -> Cursor:
    """Run a statement, or queue it if the connection is in pipeline mode."""
    return connection.cursor(row_factory=tuple_row).execute(statement, values)


def answers(
    connection: Connection, requests: Sequence[Request]
) -> list[ReadResult | None]:
    """Answer all requests from one snapshot; None for a missing generation."""
    with connection.pipeline(), connection.transaction():
        run(connection, _SNAPSHOT)
        looks = [_look(connection, each) for each in requests]
        rows = [each.fetchone() for each in looks]
        cursors = [
            [run(connection, *reading(row[0], read)) for read in request.reads]
            for request, row in zip(requests, rows, strict=True)
            if row is not None
        ]
    answered: list[ReadResult | None] = []
    rest = iter(cursors)
    for request, row in zip(requests, rows, strict=True):
        if row is None:
            answered.append(None)
            continue
        replies = [
            reply(read, cursor.fetchall())
            for read, cursor in zip(request.reads, next(rest), strict=True)
        ]
        answered.append(ReadResult(row[2], row[1], replies))
    return answered


def _look(connection: Connection, request: Request) -> Cursor:
    view = request.view
    if request.generation:
        return run(connection, NAMED, (view.name, request.generation))
    return run(connection, _LIVE, (view.name, f"{view.layout}-"))
