"""Rules of queries on history that only a real Postgres can break."""

import asyncio
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager

import psycopg
import pytest

from infra.log.migrations import migrate
from infra.views.postgres_store import PostgresStore
from infra.views.postgres_views import READS_AT_ONCE, PostgresViews
from projections.store import (
    AddEntries,
    ReadHighest,
    ReadResult,
    Request,
    Step,
    StoreDown,
    View,
    ViewUnavailable,
)

VIEW = View("books")
ENTRIES = [(number, str(number)) for number in range(10)]
GENERATION = "1-a"
NEWEST = Request(VIEW, [ReadHighest("set", 3)], GENERATION)
OF_QUERIES = (
    "FROM pg_stat_activity WHERE datname = current_database() "
    "AND application_name = 'bourse-queries'"
)


@pytest.fixture
async def views(database_url: str) -> AsyncIterator[PostgresViews]:
    migrate(database_url)
    store = PostgresStore(database_url)
    changes = [AddEntries("set", ENTRIES)]
    assert store.write([Step(VIEW, GENERATION, None, 1, False, changes)], ())
    store.close()
    views = PostgresViews(database_url, read_seconds_max=0.5)
    yield views
    await views.close()


def newest(answers: list[ReadResult | None]) -> list[list[bytes | None]]:
    return [answer.replies[0] for answer in answers if answer is not None]


@contextmanager
def locked(database_url: str) -> Generator[None]:
    """Block each read of a collection until the block ends."""
    with psycopg.connect(database_url) as connection:
        connection.execute("LOCK TABLE view_entries")
        yield


async def test_queries_share_a_few_connections(views: PostgresViews, database_url: str):
    reads = [views.read_many([NEWEST]) for _ in range(100)]

    answers = await asyncio.gather(*reads)

    assert all(newest(each) == [[b"9", b"8", b"7"]] for each in answers)
    async with await psycopg.AsyncConnection.connect(database_url) as connection:
        cursor = await connection.execute(f"SELECT count(*) {OF_QUERIES}")
        (count,) = await cursor.fetchone() or (0,)
    assert 0 < count <= READS_AT_ONCE


async def test_a_query_does_not_notice_that_postgres_ended_an_idle_connection(
    views: PostgresViews, database_url: str
):
    await views.read_many([NEWEST])
    async with await psycopg.AsyncConnection.connect(
        database_url, autocommit=True
    ) as connection:
        await connection.execute(f"SELECT pg_terminate_backend(pid, 5000) {OF_QUERIES}")

    assert newest(await views.read_many([NEWEST])) == [[b"9", b"8", b"7"]]


async def test_a_query_that_postgres_does_not_answer_in_time_fails_and_frees_its_thread(
    views: PostgresViews, database_url: str
):
    with locked(database_url):
        for _ in range(2 * READS_AT_ONCE):
            with pytest.raises(StoreDown):
                await views.read_many([NEWEST])
        # Nothing else waits for the threads of the queries.
        await asyncio.to_thread(str)

    assert newest(await views.read_many([NEWEST])) == [[b"9", b"8", b"7"]]


async def test_views_without_tables_are_being_filled(
    views: PostgresViews, database_url: str
):
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE view_generations")

    with pytest.raises(ViewUnavailable):
        await views.read(VIEW, ())


async def test_a_server_that_is_away_is_reported_as_such():
    views = PostgresViews("postgresql://nobody@127.0.0.1:1/nothing")

    with pytest.raises(StoreDown):
        await views.read(VIEW, ())

    await views.close()
