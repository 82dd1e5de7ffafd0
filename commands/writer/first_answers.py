"""The first answer to a repeated command, from the command's facts in the log."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

from commands.answers import Answer
from commands.ports import LogUnavailable, Segment
from domain.events.market import OrderCanceled
from domain.events.register import Fact, Recorded
from domain.events.wallet import CancelAllAccepted, CancelAllCompleted
from domain.ids import LogPosition

Read: TypeAlias = Callable[[LogPosition, int], Segment]

#: Most commands record at most this many facts: one query reads them for a repeat.
FACTS_OF_MOST = 20
#: The facts in one query for the slices of a cancel-all.
FACTS_OF_SLICES = 2_000


def first_answer(read: Read, position: LogPosition) -> Answer:
    """Return the answer of the command whose first fact has this log position."""
    facts = read(LogPosition(position - 1), FACTS_OF_MOST).facts
    first = facts[0]
    if isinstance(first.event, CancelAllAccepted):
        return _canceled_in_slices(read, first)
    command_id = first.event.meta.command_id
    own = [fact for fact in facts if fact.event.meta.command_id == command_id]
    return _answer(own)


def _canceled_in_slices(read: Read, accepted: Fact) -> Answer:
    """Return the cancels of all slices, which stand between other commands.

    The facts of a slice have the key of the command that was accepted.
    """
    actor, key = accepted.event.meta.actor, accepted.event.meta.key
    canceled: list[Fact] = []
    after = accepted.position
    while facts := read(after, FACTS_OF_SLICES).facts:
        after = facts[-1].position
        for fact in facts:
            meta = fact.event.meta
            if meta.key != key or meta.actor != actor:
                continue
            if isinstance(fact.event, OrderCanceled):
                canceled.append(fact)
            elif isinstance(fact.event, CancelAllCompleted):
                return _answer(canceled, fact.position)
    # The leader gave the cancel-all up after a defect.
    raise LogUnavailable("the log does not have all of the cancel-all")


def _answer(facts: Sequence[Fact], position: LogPosition | None = None) -> Answer:
    recorded = [Recorded(each.stream, each.version, each.event) for each in facts]
    return Answer(position or facts[-1].position, recorded, repeated=True)
