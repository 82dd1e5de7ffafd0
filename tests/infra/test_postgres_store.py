"""Rules of the store in Postgres that only a real Postgres can break."""

from collections.abc import Generator
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from infra.log.migrations import migrate
from infra.views.postgres_store import PostgresStore
from processors.follower import Overtaken
from processors.rebuild import rebuild, verify
from processors.runner import Runner
from projections.accounts.statements import StatementsProjection
from projections.store import (
    AddEntries,
    Change,
    Message,
    Place,
    PutRows,
    Request,
    Step,
    StoreDown,
    View,
)
from tests.support.facts import log_of
from tests.support.flow import Flow

VIEW = View("books")
FACTS = Flow(3).run(200)
TYPES = [StatementsProjection]
STATEMENTS = StatementsProjection.view


@pytest.fixture
def published() -> list[Message]:
    return []


@pytest.fixture
def store(database_url: str, published: list[Message]) -> Generator[PostgresStore]:
    migrate(database_url)
    store = PostgresStore(database_url, publish=published.extend)
    yield store
    store.close()


def run(database_url: str, statement: Any) -> list[TupleRow]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def step(*changes: Change, expected: int | None = None, reached: int = 0) -> Step:
    return Step(VIEW, "1-a", expected, reached, False, changes)


def follow(runner: Runner, rounds: int = 20) -> None:
    """Do rounds as the loop does, through outages of the store."""
    for _ in range(rounds):
        try:
            runner.round()
        except (Overtaken, StoreDown):
            runner.forget()


def proved(store: PostgresStore) -> list[int]:
    reports = verify(log_of(FACTS), store, TYPES, new_id=lambda: "proof")
    assert all(each.compared for each in reports)
    return [each.differing for each in reports]


def test_a_write_announces_after_its_commit_and_a_refused_one_does_not(
    store: PostgresStore, published: list[Message]
):
    assert store.write([step()], [("news", "first")])
    assert not store.write([step()], [("news", "never")])
    assert store.write([step(expected=0, reached=1)], [("news", "second")])

    assert published == [("news", "first"), ("news", "second")]


@pytest.mark.rule("VIEW-01")
def test_a_write_that_fails_half_way_leaves_nothing(
    store: PostgresStore, database_url: str
):
    assert store.write([step()], ())
    run(database_url, "ALTER TABLE view_entries ADD CHECK (score < 100)")
    changes = [PutRows("rows", {"a": "1"}), AddEntries("set", [(100, "a")])]

    with pytest.raises(StoreDown, match="check constraint"):
        store.write([step(*changes, expected=0, reached=1)], ())

    assert list(store.tables(VIEW, "1-a")) == []
    (answer,) = store.read([Request(VIEW, (), "1-a")])
    assert answer is not None
    assert answer.checkpoint == 0


def test_a_store_connects_again_after_it_lost_its_connection(
    store: PostgresStore, database_url: str
):
    assert store.write([step()], ())
    run(
        database_url,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND application_name = 'bourse-views'",
    )

    with pytest.raises(StoreDown):
        store.read([Request(VIEW, (), "1-a")])

    assert store.read([Request(VIEW, (), "1-a")]) != [None]


@pytest.mark.rule("VIEW-04")
@pytest.mark.parametrize("table", ["view_generations", "view_rows", "view_entries"])
def test_a_dropped_table_is_created_and_filled(
    store: PostgresStore, database_url: str, table: str
):
    log = log_of(FACTS)
    runner = Runner(log, store, new_id=iter("abcdefgh").__next__, types=TYPES)
    follow(runner)
    assert proved(store) == [0]

    run(database_url, f"DROP TABLE {table}")
    runner.forget()
    if table == "view_rows":
        # No new fact needs a row here, so only a direct read notices the loss.
        with pytest.raises(StoreDown):
            list(store.tables(STATEMENTS, store.generations(STATEMENTS)[0]))
    if table == "view_entries":
        with pytest.raises(StoreDown):
            list(store.collections(STATEMENTS, store.generations(STATEMENTS)[0]))
    follow(runner)

    assert proved(store) == [0]


def test_a_server_that_is_away_is_reported_as_such():
    store = PostgresStore("postgresql://nobody@127.0.0.1:1/nothing")

    with pytest.raises(StoreDown):
        store.read([Request(VIEW, ())])


def test_a_large_generation_is_removed_in_parts(
    store: PostgresStore, database_url: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("infra.views.postgres_store.DROPPED_AT_ONCE", 40)
    entries = AddEntries("set", [(n, "x") for n in range(100)])
    assert store.write([step(entries, PutRows("rows", {"a": "1"}))], ())

    drops = [store.drop(VIEW, "1-a")]
    assert store.generations(VIEW) == ["1-a"]
    assert store.read([Request(VIEW, (), "1-a")]) == [None], "half removed"
    assert not store.switch(VIEW, Place("1-a", 0))
    while not drops[-1]:
        drops.append(store.drop(VIEW, "1-a"))

    assert drops == [False, False, True]
    for table in ("view_generations", "view_rows", "view_entries"):
        assert run(database_url, f"SELECT * FROM {table}") == []


@pytest.mark.rule("VIEW-05")
def test_a_rebuild_in_postgres_leaves_one_generation_and_no_rows_of_others(
    store: PostgresStore, database_url: str
):
    log = log_of(FACTS)
    rebuild(log, store, TYPES, new_id=lambda: "first")
    run(database_url, "UPDATE view_entries SET member = '[]' WHERE score % 7 = 0")
    forged = run(database_url, "SELECT count(*) FROM view_entries WHERE member = '[]'")

    (report,) = rebuild(log, store, TYPES, new_id=lambda: "second")

    # Each forged movement differs, and so does the movement that it replaced.
    assert report.differing == 2 * forged[0][0] > 0
    assert store.generations(STATEMENTS) == ["1-bsecond"]
    ids = run(database_url, "SELECT DISTINCT generation_id FROM view_entries")
    assert len(ids) == 1
    assert proved(store) == [0]
