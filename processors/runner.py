"""The runner: keeps the read models of one store up to date with the log.

A view may lack a live generation: at the first start, after a flush of Redis, or when
its row layout changed. The runner then fills a new generation from the log, alongside
the existing ones. The new generation goes live when it has reached the head. Until
then, readers get an error that the view is unavailable, never wrong data.
"""

from collections.abc import Collection, Sequence

import structlog

from commands.ports import LogReader, NewId
from domain.ids import LogPosition
from processors.filling import BATCH, Filling
from processors.follower import Overtaken, next_segment
from processors.host import COMMAND, MARK, Damaged, Followed, Host, begin
from projections.projection import Projection
from projections.register import PROJECTIONS
from projections.store import (
    Generation,
    Place,
    ReadResult,
    ReadRows,
    Request,
    Store,
    View,
)

#: Under constant load there is no idle round in which to tidy up.
ROUNDS_BETWEEN_TIDYING = 200

_log = structlog.get_logger(__name__)


class Runner:
    """A `LogFollower`: the read models of one store.

    A second runner on the same store slows both down, but does no harm.
    """

    def __init__(
        self,
        reader: LogReader,
        store: Store,
        *,
        new_id: NewId,
        types: Sequence[type[Projection]] = PROJECTIONS,
        pace_seconds: float = 0.0,
        name: str = "read models",
    ) -> None:
        self.name = name
        self.pace_seconds = pace_seconds
        self._reader = reader
        self._store = store
        self._new_id = new_id
        self._types = types
        self._rounds = 0
        self.forget()

    def forget(self) -> None:
        """Drop all knowledge of the store; the next round reads it again."""
        self._live: Host | None = None
        self._filling: Filling | None = None
        self._leftovers: list[tuple[View, Generation]] = []

    def round(self) -> LogPosition | None:
        """Fill a little, then follow a little; None if there is more to do at once."""
        live = self._live or self._open()
        self._rounds += 1
        if not self._rounds % ROUNDS_BETWEEN_TIDYING:
            self._tidy()
        # First the live views: a view that cannot be filled must not stop them.
        is_behind = bool(live.followed) and self._follow(live)
        if self._filling is not None:
            self._fill(self._filling, live)
        return None if is_behind or self._filling is not None else live.position

    def _follow(self, live: Host) -> bool:
        """Apply the next facts. Return whether there may be many more."""
        if self._reader.wait(live.position, 0):
            segment = next_segment(self._reader, live.position, BATCH)
            try:
                live.apply(segment)
            except Damaged as damage:
                self._retire(damage)
                raise
            return len(segment.facts) >= BATCH
        if self._filling is None:
            # Another log may have replaced this one.
            next_segment(self._reader, live.position, 1)
            self._look(live)
            self._tidy()
        return False

    def _retire(self, damage: Damaged) -> None:
        """Make a damaged view unavailable; the next round begins to fill it again."""
        self._store.retire(damage.view, damage.generation)
        _log.error(
            "a view is damaged and is filled from the log again",
            view=damage.view.name,
            reason=repr(damage.reason),
        )

    def _open(self) -> Host:
        """Start following the live generations, and begin the missing ones."""
        mark = [ReadRows(MARK, [COMMAND])]
        requests = [Request(each.view, mark) for each in self._types]
        followed: list[Followed] = []
        missing: list[type[Projection]] = []
        self._leftovers = []
        answers = self._store.read(requests)
        for each, answer in zip(self._types, answers, strict=True):
            self._leftovers += self._left_of(each.view)
            if answer is not None and self._is_of_this_log(answer):
                place = Place(answer.generation, answer.checkpoint)
                followed.append(Followed(each(), place, live=True))
                continue
            missing.append(each)
            if answer is not None:
                _log.warning("a view is of another log", view=each.view.name)
                self._store.retire(each.view, answer.generation)
                self._leftovers.append((each.view, answer.generation))
        if missing:
            self._make_room({each.view for each in missing})
            names = [each.view.name for each in missing]
            _log.info("views are being filled from the log", views=names)
            begun = begin(self._store, missing, "r" + self._new_id())
            self._filling = Filling(self._reader, self._store, begun)
        self._live = Host(self._store, followed)
        return self._live

    def _make_room(self, views: Collection[View]) -> None:
        """Drop the leftovers of views that are about to be filled, except live ones.

        Otherwise interrupted fillings could use up the store's memory.
        """
        for view, generation in self._leftovers:
            if view in views:
                self._store.drop(view, generation)

    def _is_of_this_log(self, answer: ReadResult) -> bool:
        """Return whether the checkpoint's fact is in this log."""
        if not answer.checkpoint:
            return True
        facts = self._reader.read(answer.checkpoint - 1, 1).facts
        ((command,),) = answer.replies
        return (
            bool(facts)
            and facts[0].position == answer.checkpoint
            and facts[0].event.meta.command_id.encode() == command
        )

    def _left_of(self, view: View) -> list[tuple[View, Generation]]:
        """Return the generations that an earlier runner began or left behind."""
        return [
            (view, generation)
            for generation in self._store.generations(view)
            if not generation.startswith(f"{view.layout}-")
            or generation.startswith(f"{view.layout}-r")
        ]

    def _fill(self, filling: Filling, live: Host) -> None:
        if filling.step():
            return
        live.followed += filling.switch(self._store)
        if filling.host.followed:
            # A live view of another layout may be ahead, or the store was flushed.
            self._look(filling.host)
        else:
            self._filling = None
            _log.info("all views are live", log_position=live.position)

    def _look(self, host: Host) -> None:
        """Raise Overtaken unless the store is as this runner left it."""
        requests = [
            Request(each.view, (), "" if each.live else each.generation)
            for each in host.followed
        ]
        answers = self._store.read(requests)
        for each, answer in zip(host.followed, answers, strict=True):
            place = answer and Place(answer.generation, answer.checkpoint)
            if place != each.place:
                raise Overtaken(f"the view {each.view.name} is not as it was left")

    def _tidy(self) -> None:
        """Drop one leftover generation, or a part of it."""
        if self._leftovers and self._store.drop(*self._leftovers[-1]):
            self._leftovers.pop()
