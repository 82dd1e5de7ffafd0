"""The loop in which a process follows the log, segment by segment, despite outages.

Read models and effects follow the log in the same way. Each follower keeps a checkpoint
in a store, applies the next segment of the log, and moves the checkpoint. A follower
that fails clears its caches, waits, and begins again at its checkpoint. It skips no
fact and does not block the other followers.
"""

import threading
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from time import monotonic
from typing import Generic, Protocol, TypeVar
from uuid import NAMESPACE_OID, uuid5

import structlog

from commands.ports import LogLost, LogReader, Segment
from domain.events.register import Fact
from domain.ids import LOG_START, LogPosition
from projections.store import StoreDown

#: How long followers wait for new facts before they do a round anyway.
IDLE_SECONDS = 0.5
RETRY_SECONDS_MAX = 2.0
#: Steps that a follower with a pace saves up in a quiet time, to take them at once.
STEPS_SAVED_MAX = 10
#: The most facts that an effect gets at once, and so gets again after a crash.
EFFECTS_AT_ONCE = 100
#: The newest facts, which `SharedReader` keeps for followers that are a little behind.
FACTS_KEPT = 10_000

T = TypeVar("T")
T_contra = TypeVar("T_contra", contravariant=True)
T_co = TypeVar("T_co", covariant=True)

_log = structlog.get_logger(__name__)


class Overtaken(Exception):
    """A follower's caches are invalid: its store or the log was replaced."""


class FactsMissed(Overtaken):
    """A segment does not begin at its consumer's checkpoint."""

    def __init__(self, *, position: LogPosition, before: LogPosition) -> None:
        super().__init__(
            f"the facts after log position {before} do not continue from {position}"
        )


class LogFollower(Protocol):
    """A consumer of the log that keeps its own checkpoint."""

    @property
    def name(self) -> str:
        """The name in log messages."""
        ...

    def round(self) -> LogPosition | None:
        """Do the work that is due; return None if there is more to do at once.

        Otherwise return the log position to wait beyond. If this raises, the caller
        calls `forget` and tries another round.
        """
        ...

    def forget(self) -> None:
        """Clear all caches: the next round begins at the checkpoint in the store."""
        ...

    @property
    def pace_seconds(self) -> float:
        """The mean time from one step forward to the next, at least.

        After a quiet time, some steps follow one another at once. Under load, one step
        applies all facts that arrived meanwhile, and leaves more of the core to orders.
        """
        ...


class Effect(Protocol[T_contra]):
    """The work that facts cause outside the read models, such as mail.

    `T_contra` is a transaction of the store that keeps the checkpoint.
    """

    @property
    def name(self) -> str:
        """The name of the checkpoint. It must never change."""
        ...

    def carry_out(self, segment: Segment) -> Callable[[T_contra], None] | None:
        """Carry out the effects of whole commands, in the order of the log.

        The same facts come again if the process dies before the checkpoint moves. An
        effect outside sends `effect_id`, so that its receiver recognizes a repetition.
        An effect in the store of the checkpoint returns a function, which the
        transaction that moves the checkpoint then calls.
        """
        ...


class Checkpoints(Protocol[T_co]):
    """The checkpoints of effects, in Postgres. Both methods raise LogUnavailable."""

    def position(self, name: str) -> LogPosition:
        """Return the log position that an effect has reached, 0 for a new effect."""
        ...

    def move(
        self,
        name: str,
        *,
        before: LogPosition,
        reached: LogPosition,
        write: Callable[[T_co], None] | None,
    ) -> None:
        """Move a checkpoint and call `write`, in one transaction.

        Raises:
            Overtaken: the checkpoint is not at `before`; nothing was written.
        """
        ...


def effect_id(name: str, fact: Fact) -> str:
    """Derive the id of a fact's effect: stable, and different for each effect."""
    place = f"{name}/{fact.stream}/{fact.version}/{fact.event.meta.command_id}"
    return str(uuid5(NAMESPACE_OID, place))


class Follower(Generic[T]):
    """A `LogFollower` that carries out an effect, at least once for each fact."""

    def __init__(
        self,
        reader: LogReader,
        checkpoints: Checkpoints[T],
        effect: Effect[T],
        *,
        size: int = EFFECTS_AT_ONCE,
    ) -> None:
        self._reader = reader
        self._checkpoints = checkpoints
        self._effect = effect
        self._size = size
        self._position: LogPosition | None = None

    @property
    def name(self) -> str:
        return self._effect.name

    @property
    def pace_seconds(self) -> float:
        return 0.0

    def forget(self) -> None:
        self._position = None

    def round(self) -> LogPosition | None:
        """Carry out the effects of the next segment, then move the checkpoint."""
        position = self._position
        if position is None:
            position = self._position = self._checkpoints.position(self.name)
        segment = next_segment(self._reader, position, self._size)
        if segment.facts:
            write = self._effect.carry_out(segment)
            self._checkpoints.move(
                self.name, before=position, reached=segment.reached, write=write
            )
            self._position = segment.reached
        return self._position


class SharedReader:
    """A `LogReader` for several followers in one thread.

    It keeps the newest facts that it read, so that each fact is read and decoded once
    for all followers, however they divide the log into segments.
    """

    def __init__(self, reader: LogReader) -> None:
        self.head = reader.head
        self.replay = reader.replay
        self.find = reader.find
        self.wait = reader.wait
        self._reader = reader
        self._before = LOG_START
        self._facts: list[Fact] = []

    def read(self, after: LogPosition, limit: int) -> Segment:
        start = self._place_after(after)
        if start is None:
            return self._read(after, limit)
        return next(whole_commands(Segment(after, self._facts[start:]), limit))

    def _place_after(self, after: LogPosition) -> int | None:
        """Return where the kept facts continue from a log position, if they do."""
        facts = self._facts
        if not facts or not self._before <= after < facts[-1].position:
            return None
        if after == self._before:
            return 0
        place = bisect_left(facts, after, key=_position)
        return place + 1 if facts[place].position == after else None

    def _read(self, after: LogPosition, limit: int) -> Segment:
        kept, self._facts = self._facts, []
        # If this raises, another log may have replaced this one: nothing is kept.
        segment = self._reader.read(after, limit)
        if kept and segment.before == kept[-1].position:
            kept += segment.facts
        elif not kept or segment.before > kept[-1].position:
            kept, self._before = list(segment.facts), segment.before
        if len(kept) > 2 * FACTS_KEPT:
            self._before = kept[-FACTS_KEPT - 1].position
            del kept[:-FACTS_KEPT]
        self._facts = kept
        return segment


def _position(fact: Fact) -> LogPosition:
    return fact.position


def next_segment(reader: LogReader, position: LogPosition, limit: int) -> Segment:
    """Return the facts after a checkpoint, at most about `limit`.

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
    """A follower, its number of failures in a row, and when its rest ends."""

    def __init__(self, follower: LogFollower) -> None:
        self.follower = follower
        self.failures = 0
        self.rests_until = 0.0
        self._position: LogPosition | None = None
        self._saved = float(STEPS_SAVED_MAX)
        self._stepped_at = 0.0

    def round(self) -> LogPosition | None:
        """Do a round. Log every failure and let the follower rest."""
        name = self.follower.name
        started = monotonic()
        try:
            position = self.follower.round()
        except Overtaken as reason:
            log = _log.warning if self.failures else _log.info
            log("a follower begins again", follower=name, reason=str(reason))
        except (StoreDown, LogLost) as reason:
            if not self.failures:
                _log.warning("a follower waits", follower=name, reason=str(reason))
        except Exception:  # noqa: BLE001 - the top loop of a process
            _log.exception("a follower cannot apply the next facts", follower=name)
        else:
            if self.failures:
                _log.info("a follower goes on", follower=name, log_position=position)
            self.failures = 0
            if position is not None and position != self._position:
                self._position = position
                self._keep_pace(started)
            return position
        self._rest()
        return None

    def _keep_pace(self, started: float) -> None:
        """Rest after a step forward unless the follower has saved up another one."""
        pace = self.follower.pace_seconds
        if not pace:
            return
        earned = (started - self._stepped_at) / pace
        self._saved = min(STEPS_SAVED_MAX, self._saved + earned) - 1
        self._stepped_at = started
        self.rests_until = started + max(0.0, 1 - self._saved) * pace

    def _rest(self) -> None:
        self.follower.forget()
        # After the first failure, the follower retries at once.
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
    """Run the followers in turns until `stop` is set.

    Before each turn, `may_work` returns whether this process may work now.
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
