"""How the writer's state comes back: newest snapshot, then the log after it."""

import gc
from collections.abc import Callable

import msgspec

from commands.ports import LogReader, SnapshotStore
from commands.state.exchange import Exchange
from commands.state.frozen import dump, load
from domain.events.clock import ClockConfirmed
from domain.events.event import Timestamp
from domain.ids import LogPosition


class NotWanted(Exception):
    """Nobody waits for the state any more."""


def recover(
    reader: LogReader,
    snapshots: SnapshotStore | None = None,
    *,
    is_wanted: Callable[[], bool] = lambda: True,
) -> Exchange:
    """The state at the head of the log.

    Raises:
        NotWanted: it is not wanted any more; that is asked on the way, which is long.
    """
    # Millions of long-lived objects come up here; looking for cycles among them, of
    # which there are none, would take longer than making them.
    gc.disable()
    try:
        exchange = _from_snapshot(reader, snapshots)
        for segment in reader.replay(exchange.position):
            exchange.replay(segment.facts)
            if not is_wanted():
                raise NotWanted
    finally:
        gc.enable()
    gc.collect()
    gc.freeze()
    return exchange


def _from_snapshot(reader: LogReader, snapshots: SnapshotStore | None) -> Exchange:
    snapshot = snapshots.newest() if snapshots is not None else None
    if snapshot is None or not _ends_a_command(reader, snapshot.position):
        return Exchange()
    try:
        return load(snapshot.chunks)
    except msgspec.DecodeError:
        # Written by a version that froze the state in another form. It is only a
        # cache: the log has it all.
        return Exchange()


def _ends_a_command(reader: LogReader, position: LogPosition) -> bool:
    """Whether the log has what a state at this position came from.

    Its head would not tell: a log that lost its newest events goes on at positions
    above theirs.
    """
    if not position:
        return True
    return reader.read(position - 1, 1).reached == position


def newest_time(reader: LogReader, head: LogPosition) -> Timestamp:
    """Return the venue's time after the newest fact of the log; 0 if there is none.

    A fact that confirms a step of the clock has the time before that step.
    """
    facts = reader.read(LogPosition(head - 1), 1).facts if head else ()
    if not facts:
        return 0
    event = facts[-1].event
    return event.meta.at + (event.ahead if isinstance(event, ClockConfirmed) else 0)


def take_snapshot(reader: LogReader, snapshots: SnapshotStore) -> LogPosition:
    """Save the state at the head of the log. Return its log position.

    This reads the log alone and does not disturb a running writer.
    """
    exchange = recover(reader, snapshots)
    snapshots.save(exchange.position, dump(exchange))
    return exchange.position
