"""Rebuilds read models from the log while the live ones keep following the log.

A rebuild fills new generations, compares them with the live ones, makes them live, and
drops the old ones. `verify` fills and compares only.
"""

from collections.abc import Sequence
from itertools import islice

import msgspec

from commands.ports import LogReader, NewId
from domain.ids import LogPosition
from processors.comparison import Difference, differences
from processors.filling import Filling, Progress
from processors.follower import Overtaken
from processors.host import Followed, begin
from processors.write_behind import WriteBehind
from projections.projection import Projection
from projections.register import PROJECTIONS
from projections.store import Generation, Request, Store, View

#: The live view may be a few milliseconds ahead: retry until it is not.
SWITCH_ATTEMPTS = 1_000
#: A report lists at most this many differences of one view, and counts all.
DIFFERENCES_KEPT = 100


class Report(msgspec.Struct, frozen=True):
    """The outcome of the rebuild of one view.

    `compared` is False if there was no live view to compare with. `differing` is the
    number of differences; `differences` holds the first of them.
    """

    view: str
    log_position: LogPosition
    compared: bool
    differing: int
    differences: list[Difference]
    switched: bool


class RebuildFailed(Exception):
    """The store changed during the rebuild, or the live view stayed ahead."""


def projections_named(name: str) -> tuple[type[Projection], ...]:
    """Return the projection with this name, or all of them for `all`.

    Raises:
        KeyError: no read model has that name.
    """
    if name == "all":
        return PROJECTIONS
    return ({each.view.name: each for each in PROJECTIONS}[name],)


def rebuild(
    reader: LogReader,
    store: Store,
    types: Sequence[type[Projection]] = PROJECTIONS,
    *,
    new_id: NewId,
    progress: Progress = lambda _reached, _head: None,
) -> list[Report]:
    """Fill new generations, compare, make them live, and drop the old ones.

    Raises:
        RebuildFailed: a view could not be rebuilt and its live generation stays; retry.
    """
    return _carry_out(reader, store, types, new_id(), progress, switch=True)


def verify(
    reader: LogReader,
    store: Store,
    types: Sequence[type[Projection]] = PROJECTIONS,
    *,
    new_id: NewId,
    progress: Progress = lambda _reached, _head: None,
) -> list[Report]:
    """Compare the live views with a rebuild from the log; leave them unchanged.

    Raises:
        RebuildFailed: the store changed meanwhile; retry.
    """
    return _carry_out(reader, store, types, new_id(), progress, switch=False)


def _carry_out(
    reader: LogReader,
    store: Store,
    types: Sequence[type[Projection]],
    fill_id: str,
    progress: Progress,
    *,
    switch: bool,
) -> list[Report]:
    for each in types:
        _drop_leftovers(store, each.view)
    try:
        rebuilt = begin(store, types, "b" + fill_id)
        live = _live_checkpoints(store, rebuilt)
        # The comparison cannot move a rebuilt view back to the position of a live one.
        end = min(live.values()) if live else reader.head()
        with WriteBehind(store) as behind:
            Filling(reader, behind, rebuilt).fill_to(end, progress)
        return [
            _finish(reader, store, each, compare=each.view.name in live, switch=switch)
            for each in rebuilt
        ]
    except Overtaken as reason:
        raise RebuildFailed("the store changed meanwhile; start it again") from reason
    finally:
        for each in types:
            _drop_leftovers(store, each.view)


def _drop_leftovers(store: Store, view: View) -> None:
    """Drop the generations that rebuilds left behind.

    A `b` marks the generations of rebuilds. The store never drops a live one.
    """
    for generation in store.generations(view):
        if generation.partition("-")[2].startswith("b"):
            _drop(store, view, generation)


def _drop(store: Store, view: View, generation: Generation) -> None:
    while not store.drop(view, generation):
        continue


def _live_checkpoints(
    store: Store, rebuilt: Sequence[Followed]
) -> dict[str, LogPosition]:
    answers = store.read([Request(each.view, ()) for each in rebuilt])
    return {
        each.view.name: answer.checkpoint
        for each, answer in zip(rebuilt, answers, strict=True)
        if answer is not None
    }


def _finish(
    reader: LogReader, store: Store, rebuilt: Followed, *, compare: bool, switch: bool
) -> Report:
    first: list[Difference] = []
    differing = 0
    if compare:
        every = differences(reader, store, rebuilt)
        first = list(islice(every, DIFFERENCES_KEPT))
        differing = len(first) + sum(1 for _ in every)
    if switch:
        _make_live(reader, store, rebuilt)
    return Report(
        rebuilt.view.name, rebuilt.checkpoint, compare, differing, first, switch
    )


def _make_live(reader: LogReader, store: Store, rebuilt: Followed) -> None:
    """Catch up with the log until the live view is not ahead, then replace it."""
    old = store.generations(rebuilt.view)
    filling = Filling(reader, store, [rebuilt])
    for _ in range(SWITCH_ATTEMPTS):
        while filling.step():
            continue
        if filling.switch(store):
            for generation in old:
                _drop(store, rebuilt.view, generation)
            return
    raise RebuildFailed(f"the live view {rebuilt.view.name} stayed ahead")
