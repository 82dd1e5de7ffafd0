"""How the read models follow the log: one after the other fact, healing by themselves.

A view without a live generation (a first start, a flushed Redis, rows of a new layout)
is filled from the log beside whatever is there, and goes live when it has reached the
head. Until then its readers are told that it is unavailable, never something wrong.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from time import monotonic, sleep

import structlog

from commands.ports import LogLost, LogReader
from domain.events.register import Fact
from processors.host import (
    COMMAND,
    MARK,
    Followed,
    Host,
    Overtaken,
    begin,
    whole_commands,
)
from projections.projection import Projection
from projections.register import PROJECTIONS
from projections.store import (
    Answer,
    Generation,
    Place,
    ReadRows,
    Request,
    Store,
    StoreDown,
    View,
)

#: Facts in one write: large enough to be cheap, small enough that Redis, which does
#: nothing else meanwhile, keeps its readers waiting for some milliseconds at most.
BATCH = 2_000
IDLE_SECONDS = 0.5
#: From one write to the next at least. What comes after a pause is shown at once; under
#: load a write takes in what has come meanwhile, and leaves the core to the orders.
PACE_SECONDS = 0.005
RETRY_SECONDS_MAX = 2.0
#: Under constant load there is never an idle round to tidy up in.
ROUNDS_BETWEEN_TIDYING = 200

_log = structlog.get_logger(__name__)


class Runner:
    """Follows the log into a store. A second one at work is slow, but does no harm."""

    def __init__(
        self,
        reader: LogReader,
        store: Store,
        *,
        new_id: Callable[[], str],
        types: Sequence[type[Projection]] = PROJECTIONS,
        pace_seconds: float = PACE_SECONDS,
    ) -> None:
        self._reader = reader
        self._pace_seconds = pace_seconds
        self._written_at = 0.0
        self._store = store
        self._new_id = new_id
        self._types = types
        self._rounds = 0
        self.forget()

    def forget(self) -> None:
        """Assume nothing about the store any more: the next round looks at it anew."""
        self._live: Host | None = None
        self._filling: Host | None = None
        self._blocks: Iterator[list[Fact]] = iter(())
        self._leftovers: list[tuple[View, Generation]] = []

    def round(self, idle_seconds: float = IDLE_SECONDS) -> None:
        """Fill a little, follow a little; wait where there is nothing to do.

        Raises:
            Overtaken, StoreDown, LogLost: `forget`, then go on with the next round.
        """
        live = self._live or self._open()
        self._rounds += 1
        if not self._rounds % ROUNDS_BETWEEN_TIDYING:
            self._tidy()
        if self._filling is not None:
            self._fill(self._filling, live)
            idle_seconds = 0
        if not live.followed:
            return
        if self._reader.wait(live.position, idle_seconds):
            self._keep_pace()
            facts = self._reader.read(live.position, BATCH)
            if facts:
                live.apply(facts)
        elif self._filling is None:
            if self._reader.head() < live.position:
                # Another log took the place of this one.
                raise Overtaken
            self._look(live)
            self._tidy()

    def _keep_pace(self) -> None:
        early = self._written_at + self._pace_seconds - monotonic()
        if early > 0 and self._filling is None:
            sleep(early)
        self._written_at = monotonic()

    def _open(self) -> Host:
        """Take up the live generations, and begin those that are missing."""
        mark = [ReadRows(MARK, [COMMAND])]
        requests = [Request(each.view, mark) for each in self._types]
        taken: list[Followed] = []
        missing: list[type[Projection]] = []
        self._leftovers = []
        answers = self._store.read(requests)
        for each, answer in zip(self._types, answers, strict=True):
            self._leftovers += self._left_of(each.view)
            if answer is not None and self._is_of_this_log(answer):
                place = Place(answer.generation, answer.checkpoint)
                taken.append(Followed(each(), place, live=True))
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
            self._filling = Host(self._store, begun)
            self._blocks = self._reader.replay(0)
        self._live = Host(self._store, taken)
        return self._live

    def _make_room(self, views: Collection[View]) -> None:
        """Drop what is left of views before they are filled: a store that has room for
        them once may not have it many times. One that is live stays, until later."""
        for view, generation in self._leftovers:
            if view in views:
                self._store.drop(view, generation)

    def _is_of_this_log(self, answer: Answer) -> bool:
        """Whether the fact that the checkpoint stands for is there in the log."""
        if not answer.checkpoint:
            return True
        facts = self._reader.read(answer.checkpoint - 1, 1)
        ((command,),) = answer.replies
        return (
            bool(facts)
            and facts[0].position == answer.checkpoint
            and facts[0].event.meta.command_id.encode() == command
        )

    def _left_of(self, view: View) -> list[tuple[View, Generation]]:
        """Generations that a runner before this one began or left behind."""
        return [
            (view, generation)
            for generation in self._store.generations(view)
            if not generation.startswith(f"{view.layout}-")
            or generation.startswith(f"{view.layout}-r")
        ]

    def _fill(self, filling: Host, live: Host) -> None:
        facts = next(self._blocks, None)
        if facts is not None:
            for batch in whole_commands(facts, BATCH):
                filling.apply(batch)
            return
        facts = self._reader.read(filling.position, BATCH)
        if facts:
            filling.apply(facts)
        if len(facts) < BATCH:
            self._switch(filling, live)

    def _switch(self, filling: Host, live: Host) -> None:
        for each in list(filling.followed):
            if self._store.switch(each.view, each.place):
                each.live = True
                filling.followed.remove(each)
                live.followed.append(each)
        if filling.followed:
            # A live view of another layout may be ahead of them; or they are gone.
            self._look(filling)
        else:
            self._filling = None
            _log.info("all views are live", log_position=live.position)

    def _look(self, host: Host) -> None:
        """See whether what was left in the store is still there, and live if it was."""
        requests = [
            Request(each.view, (), "" if each.live else each.generation)
            for each in host.followed
        ]
        answers = self._store.read(requests)
        for each, answer in zip(host.followed, answers, strict=True):
            if answer is None:
                raise Overtaken
            if Place(answer.generation, answer.checkpoint) != each.place:
                raise Overtaken

    def _tidy(self) -> None:
        """Drop one leftover."""
        if self._leftovers:
            view, generation = self._leftovers.pop()
            self._store.drop(view, generation)


def run_runner(
    runner: Runner,
    stop: threading.Event,
    *,
    may_work: Callable[[], bool] = lambda: True,
) -> None:
    """Follow the log until told to stop, through whatever goes away and comes back.

    `may_work` says whether it is this process's turn; it is asked before each round.
    """
    failures = 0
    while not stop.is_set():
        try:
            if not may_work():
                runner.forget()
                stop.wait(IDLE_SECONDS)
                continue
            runner.round()
            failures = 0
            continue
        except Overtaken:
            # Somebody flushed the store or switched a generation: begin anew, at once
            # the first time.
            _log.info("the store is not as it was left; looking at it anew")
        except (StoreDown, LogLost) as reason:
            if not failures:
                _log.warning("the views stand still for now", reason=str(reason))
        except Exception:  # noqa: BLE001 - the top loop of a process
            _log.exception("the views stand still: facts could not be applied")
        runner.forget()
        stop.wait(min(RETRY_SECONDS_MAX, 0.05 * 2**failures - 0.05))
        failures = min(failures + 1, 10)
