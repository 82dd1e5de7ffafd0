"""Fills generations from the log, for the runner and for rebuilds."""

from collections.abc import Callable, Sequence

from commands.ports import LogReader, Segment
from domain.ids import LOG_START, LogPosition
from processors.follower import Overtaken, next_segment, whole_commands
from processors.host import Followed, Host
from projections.store import BatchStore, Store

#: Facts in one write: many enough to be cheap, few enough that readers wait only some
#: milliseconds, because Redis does nothing else during a write.
BATCH = 2_000

#: The arguments are the log position reached and the one to reach.
Progress = Callable[[LogPosition, LogPosition], None]


class Filling:
    """Several generations on their way to the head of the log.

    Empty generations are filled by a replay, which is faster than reading by position.
    """

    def __init__(
        self, reader: LogReader, store: BatchStore, followed: Sequence[Followed]
    ) -> None:
        self._reader = reader
        self.host = Host(store, followed)
        self._segments = (
            segment
            for block in (() if self.host.position else reader.replay(LOG_START))
            for segment in whole_commands(block, BATCH)
        )

    def step(self) -> bool:
        """Apply the next facts. Return whether there may be many more."""
        segment = next(self._segments, None)
        if segment is not None:
            self.host.apply(segment)
            return True
        segment = next_segment(self._reader, self.host.position, BATCH)
        self.host.apply(segment)
        return len(segment.facts) >= BATCH

    def fill_to(
        self,
        position: LogPosition,
        progress: Progress = lambda _reached, _position: None,
    ) -> None:
        """Apply the facts up to exactly this log position, the end of a command.

        Raises:
            Overtaken: the log ends before that.
        """
        while self.host.position < position:
            segment = next(self._segments, None) or next_segment(
                self._reader, self.host.position, BATCH
            )
            facts = [fact for fact in segment.facts if fact.position <= position]
            if not facts:
                raise Overtaken(f"the log has no fact at log position {position}")
            self.host.apply(Segment(segment.before, facts))
            progress(self.host.position, position)
        # Facts that the replay has read beyond the position are read again later.
        self._segments.close()

    def switch(self, store: Store) -> list[Followed]:
        """Make live the generations that are not behind, and return those."""
        switched: list[Followed] = []
        for each in list(self.host.followed):
            if store.switch(each.view, each.place):
                each.live = True
                self.host.followed.remove(each)
                switched.append(each)
        return switched
