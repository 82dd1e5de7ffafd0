"""How a process follows the log: segment by segment, none missed, through every outage.

Read models and effects follow in the same way. Each follower keeps a checkpoint in a
store, takes the next segment of the log, and moves the checkpoint. A follower in
trouble forgets what it knew, rests, and begins again at its checkpoint. It skips no
fact, and it does not hold up the followers next to it.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Protocol

import structlog

from commands.ports import LogLost, LogReader, Segment
from domain.events.register import Fact
from domain.ids import LogPosition
from projections.store import StoreDown

#: How long followers wait for the log to go on before they look around.
IDLE_SECONDS = 0.5
RETRY_SECONDS_MAX = 2.0

_log = structlog.get_logger(__name__)


class Overtaken(Exception):
    """What a follower knew holds no longer: its store or the log was replaced."""


class FactsMissed(Overtaken):
    """A segment does not begin where its consumer stands."""

    def __init__(self, *, position: LogPosition, before: LogPosition) -> None:
        super().__init__(
            f"the facts after log position {before} do not continue from {position}"
        )


class LogFollower(Protocol):
    """One of those that follow the log. It keeps its own checkpoint."""

    @property
    def name(self) -> str:
        """What log messages call it."""
        ...

    def round(self) -> LogPosition | None:
        """Do what there is to do now; None if there is more to do at once.

        Otherwise return the log position after which there will be something to do.
        Whatever this raises, `forget` follows, and then another round.
        """
        ...

    def forget(self) -> None:
        """Assume nothing any more: begin again at the checkpoint in the store."""
        ...


def next_segment(reader: LogReader, position: LogPosition, limit: int) -> Segment:
    """Read on from a checkpoint.

    Raises:
        FactsMissed: no fact of this log has that position.
    """
    segment = reader.read(position, limit)
    if segment.before != position:
        raise FactsMissed(position=position, before=segment.before)
    return segment


def beyond(segment: Segment, position: LogPosition) -> Sequence[Fact]:
    """Return the facts of a segment that a consumer at `position` has not applied.

    Raises:
        FactsMissed: the segment does not continue from that position.
    """
    if segment.before == position:
        return segment.facts
    for place, fact in enumerate(segment.facts, 1):
        if fact.position == position:
            return segment.facts[place:]
    raise FactsMissed(position=position, before=segment.before)


def whole_commands(segment: Segment, size: int) -> Iterator[Segment]:
    """Cut a segment into segments of about `size` facts, never within a command."""
    before, facts, start = segment.before, segment.facts, 0
    while start < len(facts):
        end = min(start + size, len(facts))
        command = facts[end - 1].event.meta.command_id
        while end < len(facts) and facts[end].event.meta.command_id == command:
            end += 1
        yield Segment(before, facts[start:end])
        before, start = facts[end - 1].position, end


class _Tended:
    """A follower, how often it has failed in a row, and until when it rests."""

    def __init__(self, follower: LogFollower) -> None:
        self.follower = follower
        self.failures = 0
        self.rests_until = 0.0

    def round(self) -> LogPosition | None:
        """Do a round, through whatever goes away and comes back."""
        name = self.follower.name
        try:
            position = self.follower.round()
        except Overtaken as reason:
            _log.info("a follower begins again", follower=name, reason=str(reason))
        except (StoreDown, LogLost) as reason:
            if not self.failures:
                _log.warning("a follower waits", follower=name, reason=str(reason))
        except Exception:  # noqa: BLE001 - the top loop of a process
            _log.exception("a follower cannot apply the next facts", follower=name)
        else:
            if self.failures:
                _log.info("a follower goes on", follower=name, log_position=position)
            self.failures = 0
            return position
        self._rest()
        return None

    def _rest(self) -> None:
        self.follower.forget()
        # The first time it begins again at once.
        seconds = min(RETRY_SECONDS_MAX, 0.05 * 2**self.failures - 0.05)
        self.rests_until = monotonic() + seconds
        self.failures = min(self.failures + 1, 10)


def follow_log(
    reader: LogReader,
    followers: Sequence[LogFollower],
    stop: threading.Event,
    *,
    may_work: Callable[[], bool] = lambda: True,
) -> None:
    """Let the followers follow the log, in turns, until `stop` is set.

    `may_work` says whether this process may work now. It is asked before each turn.
    """
    tended = [_Tended(each) for each in followers]
    while not stop.is_set():
        if not may_work():
            for each in tended:
                each.follower.forget()
            stop.wait(IDLE_SECONDS)
            continue
        now = monotonic()
        awake = [each for each in tended if each.rests_until <= now]
        if not awake:
            stop.wait(min(each.rests_until for each in tended) - now)
            continue
        positions = [each.round() for each in awake]
        resting = [each.rests_until - now for each in tended if each not in awake]
        known = [position for position in positions if position is not None]
        if len(known) == len(positions):
            reader.wait(min(known), min([IDLE_SECONDS, *resting]))
