"""How read models are made anew from the log beside the live ones, which go on.

Filled, compared with the live ones, made live in their place; the old ones are dropped.
`verify` does the same and leaves the live ones as they are.
"""

from collections.abc import Callable, Sequence
from itertools import islice

import msgspec

from commands.ports import LogReader
from domain.ids import LogPosition
from processors.comparison import Difference, differences
from processors.host import Followed, Host, Overtaken, begin, whole_commands
from processors.write_behind import WriteBehind
from projections.projection import Projection
from projections.register import PROJECTIONS
from projections.store import Request, Store, View

BATCH = 2_000
#: A live view may be ahead by the facts of some milliseconds: try until it is not.
SWITCH_ATTEMPTS = 1_000
#: What is kept of the differences of one view; their number is always told.
DIFFERENCES_KEPT = 100

#: Called with the log position reached and the one to reach.
Progress = Callable[[LogPosition, LogPosition], None]


class Report(msgspec.Struct, frozen=True):
    """What the rebuild of one view found.

    `compared` is False where there was no live view to compare with. `differences`
    holds the first of them, `differing` is their number.
    """

    view: str
    log_position: LogPosition
    compared: bool
    differing: int
    differences: list[Difference]
    switched: bool


class RebuildFailed(Exception):
    """The store changed under the rebuild, or the live view could not be overtaken."""


def projections_named(name: str) -> tuple[type[Projection], ...]:
    """The projection of that name, or every one for `all`.

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
    new_id: Callable[[], str],
    progress: Progress = lambda _reached, _head: None,
) -> list[Report]:
    """Fill new generations, compare, make them live, drop the old ones.

    Raises:
        RebuildFailed: nothing changed for readers; start it again.
    """
    return _carry_out(reader, store, types, new_id(), progress, switch=True)


def verify(
    reader: LogReader,
    store: Store,
    types: Sequence[type[Projection]] = PROJECTIONS,
    *,
    new_id: Callable[[], str],
    progress: Progress = lambda _reached, _head: None,
) -> list[Report]:
    """Compare the live views with what the log gives; change nothing.

    Raises:
        RebuildFailed: the store changed meanwhile; start it again.
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
        _fill(reader, store, rebuilt, min(live.values(), default=None), progress)
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
    """Drop what rebuilds left: theirs are marked by a `b`, and a live one stays."""
    for generation in store.generations(view):
        if generation.partition("-")[2].startswith("b"):
            store.drop(view, generation)


def _live_checkpoints(
    store: Store, rebuilt: Sequence[Followed]
) -> dict[str, LogPosition]:
    answers = store.read([Request(each.view, ()) for each in rebuilt])
    return {
        each.view.name: answer.checkpoint
        for each, answer in zip(rebuilt, answers, strict=True)
        if answer is not None
    }


def _fill(
    reader: LogReader,
    store: Store,
    rebuilt: Sequence[Followed],
    until: LogPosition | None,
    progress: Progress,
) -> None:
    """Fill all views at once, but not beyond where a live one is to be compared."""
    end = reader.head() if until is None else until
    with WriteBehind(store) as behind:
        host = Host(behind, rebuilt)
        for block in reader.replay(0):
            facts = [fact for fact in block if fact.position <= end]
            for batch in whole_commands(facts, BATCH):
                host.apply(batch)
                progress(host.position, end)
            if len(facts) < len(block):
                return


def _finish(
    reader: LogReader, store: Store, rebuilt: Followed, *, compare: bool, switch: bool
) -> Report:
    kept: list[Difference] = []
    differing = 0
    if compare:
        found = differences(reader, store, rebuilt)
        kept = list(islice(found, DIFFERENCES_KEPT))
        differing = len(kept) + sum(1 for _ in found)
    if switch:
        _make_live(reader, store, rebuilt)
    return Report(
        rebuilt.view.name, rebuilt.checkpoint, compare, differing, kept, switch
    )


def _make_live(reader: LogReader, store: Store, rebuilt: Followed) -> None:
    """Catch up with the log until no live view is ahead, then take its place."""
    host = Host(store, [rebuilt])
    old = store.generations(rebuilt.view)
    for _ in range(SWITCH_ATTEMPTS):
        while facts := reader.read(rebuilt.checkpoint, BATCH):
            host.apply(facts)
            if len(facts) < BATCH:
                break
        if store.switch(rebuilt.view, rebuilt.place):
            for generation in old:
                store.drop(rebuilt.view, generation)
            return
    raise RebuildFailed(f"the live view {rebuilt.view.name} stayed ahead")
