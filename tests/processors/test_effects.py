"""Effects follow the log: each fact at least once, in order, despite outages."""

import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import psycopg
import pytest
from psycopg.rows import TupleRow

from commands.ports import LogReader, Segment
from domain.events.register import Fact
from domain.ids import LogPosition
from infra.log.connection import Datastore
from infra.log.migrations import migrate
from infra.log.recorder import PostgresCheckpoints
from processors.follower import (
    FactsMissed,
    Follower,
    Overtaken,
    effect_id,
    follow_log,
)
from tests.support.facts import batches, extend, log_of
from tests.support.flow import Flow
from tests.support.memory import MemoryLogReader

FACTS = Flow(12).run(80)
HALF = next(batches(FACTS, [len(FACTS) // 2]))
REST = FACTS[len(HALF) :]

Cursor: TypeAlias = psycopg.Cursor[TupleRow]


class Killed(BaseException):
    """The end of a process at any instruction."""


class Mail:
    """An effect outside; its receiver recognizes a repetition by the id."""

    name = "mail"

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.before: list[LogPosition] = []
        self.troubles: list[BaseException] = []

    def carry_out(self, segment: Segment) -> None:
        self.before.append(segment.before)
        for fact in segment.facts:
            self.sent.append(effect_id(self.name, fact))
        if self.troubles:
            raise self.troubles.pop()

    @property
    def received(self) -> list[str]:
        return list(dict.fromkeys(self.sent))


class Ledger:
    """An effect in Postgres: written in the transaction that moves the checkpoint."""

    name = "ledger"

    def __init__(self) -> None:
        self.troubles: list[BaseException] = []

    def carry_out(self, segment: Segment) -> Callable[[Cursor], None]:
        positions = [fact.position for fact in segment.facts]

        def write(cursor: Cursor) -> None:
            cursor.execute("INSERT INTO effects SELECT unnest(%s::int[])", (positions,))
            if self.troubles:
                raise self.troubles.pop()

        return write


@contextmanager
def checkpoints_of(database_url: str) -> Generator[PostgresCheckpoints]:
    migrate(database_url)
    datastore = Datastore(database_url)
    try:
        yield PostgresCheckpoints(datastore)
    finally:
        datastore.close()


@pytest.fixture
def checkpoints(database_url: str) -> Generator[PostgresCheckpoints]:
    with checkpoints_of(database_url) as checkpoints:
        yield checkpoints


def run(database_url: str, statement: Any) -> list[TupleRow]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        cursor = connection.execute(statement)
        return cursor.fetchall() if cursor.description else []


def ids(facts: Sequence[Fact]) -> list[str]:
    return [effect_id("mail", fact) for fact in facts]


def follow(follower: Follower[Any], log: LogReader) -> None:
    """Do rounds until the effect has reached the head of the log."""
    while follower.round() != log.head():
        continue


@pytest.mark.rule("EFFECT-01")
def test_an_effect_gets_whole_commands_in_order_and_none_is_missed(
    checkpoints: PostgresCheckpoints,
):
    log, mail = log_of(FACTS), Mail()

    follow(Follower(log, checkpoints, mail, size=7), log)

    assert mail.sent == ids(FACTS)
    assert mail.before[0] == 0
    assert len(mail.before) > len(FACTS) // 20
    assert checkpoints.position("mail") == len(FACTS)


@pytest.mark.rule("EFFECT-01")
def test_a_process_killed_before_its_checkpoint_moved_repeats_with_the_same_ids(
    checkpoints: PostgresCheckpoints,
):
    log, mail = log_of(FACTS), Mail()
    mail.troubles.append(Killed())
    with pytest.raises(Killed):
        Follower(log, checkpoints, mail, size=9).round()
    assert mail.sent
    assert checkpoints.position("mail") == 0

    follow(Follower(log, checkpoints, mail, size=9), log)

    assert len(mail.sent) > len(FACTS)
    assert mail.received == ids(FACTS)


@pytest.mark.rule("EFFECT-02")
@pytest.mark.parametrize("trouble", [Killed(), KeyError("a defect")])
def test_an_effect_in_postgres_moves_with_its_checkpoint_or_not_at_all(
    checkpoints: PostgresCheckpoints, database_url: str, trouble: BaseException
):
    run(database_url, "CREATE TABLE effects (position int)")
    log, ledger = log_of(FACTS), Ledger()
    ledger.troubles.append(trouble)
    with pytest.raises(type(trouble)):
        Follower(log, checkpoints, ledger, size=9).round()
    assert run(database_url, "SELECT * FROM effects") == []
    assert checkpoints.position("ledger") == 0

    follow(Follower(log, checkpoints, ledger, size=9), log)

    rows = run(database_url, "SELECT position FROM effects ORDER BY 1")
    assert [position for (position,) in rows] == [fact.position for fact in FACTS]


@pytest.mark.rule("EFFECT-03")
def test_a_segment_that_cannot_be_applied_is_retried_until_it_can(
    checkpoints: PostgresCheckpoints, capsys: pytest.CaptureFixture[str]
):
    stop = threading.Event()

    class Stopping(MemoryLogReader):
        def wait(self, after: LogPosition, seconds: float) -> bool:
            if not super().wait(after, 0):
                stop.set()
            return super().wait(after, min(seconds, 0))

    log, mail = Stopping(), Mail()
    extend(log, FACTS)
    mail.troubles += [KeyError("poison"), ValueError("poison")]

    follow_log(log, [Follower(log, checkpoints, mail, size=9)], stop)

    assert mail.received == ids(FACTS), "nothing was skipped or overtaken"
    assert mail.before[:3] == [0, 0, 0]
    printed = capsys.readouterr().out
    assert printed.count("a follower cannot apply the next facts") == 2
    assert printed.count("a follower goes on") == 1


@pytest.mark.rule("EFFECT-03")
def test_of_two_processes_with_one_effect_one_begins_again(
    checkpoints: PostgresCheckpoints,
):
    log, mail = log_of(HALF), Mail()
    first = Follower(log, checkpoints, mail)
    second = Follower(log, checkpoints, mail)
    follow(first, log)
    follow(second, log)
    extend(log, REST)

    first.round()
    with pytest.raises(Overtaken):
        second.round()
    second.forget()
    follow(second, log)

    assert checkpoints.position("mail") == len(FACTS)
    assert mail.received == ids(FACTS)


@pytest.mark.rule("EFFECT-03")
def test_a_log_restored_under_a_follower_is_followed_from_the_restored_checkpoint(
    checkpoints: PostgresCheckpoints, database_url: str
):
    log, mail = log_of(HALF), Mail()
    follower = Follower(log, checkpoints, mail)
    follow(follower, log)
    backup = checkpoints.position("mail")
    extend(log, REST)
    follow(follower, log)

    # The backup holds the log and the checkpoints of one moment.
    log.__init__()
    extend(log, HALF)
    run(database_url, f"UPDATE tracking SET notification_id = {backup}")
    with pytest.raises(FactsMissed):
        follower.round()
    follower.forget()
    extend(log, REST)
    follow(follower, log)

    assert checkpoints.position("mail") == len(FACTS)
    assert mail.received == ids(FACTS)


@pytest.mark.rule("EFFECT-03")
def test_a_log_that_lacks_the_facts_of_a_checkpoint_has_no_effects(
    checkpoints: PostgresCheckpoints,
):
    log, mail = log_of(FACTS), Mail()
    follow(Follower(log, checkpoints, mail), log)
    sent = list(mail.sent)

    shorter = log_of(HALF)
    with pytest.raises(FactsMissed):
        Follower(shorter, checkpoints, mail).round()

    assert mail.sent == sent


def test_a_checkpoint_that_was_removed_does_not_come_back_behind_its_facts(
    checkpoints: PostgresCheckpoints, database_url: str
):
    log, mail = log_of(HALF), Mail()
    follower = Follower(log, checkpoints, mail)
    follow(follower, log)
    run(database_url, "DELETE FROM tracking WHERE application_name = 'mail'")
    extend(log, REST)

    with pytest.raises(Overtaken):
        follower.round()

    assert checkpoints.position("mail") == 0


def test_ids_of_effects_differ_by_effect_and_by_fact():
    made = {effect_id(name, fact) for name in ("mail", "relay") for fact in FACTS}

    assert len(made) == 2 * len(FACTS)
