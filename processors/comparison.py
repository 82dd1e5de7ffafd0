"""Whether two generations of a read model hold the same, while one of them goes on.

The live generation moves on with the log and cannot be held still. So each page of it
is read together with its checkpoint, and the other one, which nobody else writes, is
brought to exactly that log position before the same page of it is read.
"""

from collections.abc import Iterator, Sequence

import msgspec

from commands.ports import LogReader
from processors.filling import Filling
from processors.following import Overtaken
from processors.host import Followed
from projections.store import (
    Answer,
    Generation,
    Read,
    ReadRows,
    ReadScores,
    Request,
    Store,
)


class Difference(msgspec.Struct, frozen=True):
    """A value that the live generation has otherwise than the log gives it."""

    view: str
    key: str
    member: str
    live: str | None
    rebuilt: str | None


def differences(
    reader: LogReader, store: Store, rebuilt: Followed
) -> Iterator[Difference]:
    """Look at everything that the live generation or the rebuilt one holds.

    `rebuilt` must not be beyond the live one; afterwards it is about where that is.
    """
    view = rebuilt.view
    live = _answer(store, Request(view, ())).generation
    for each in _pages(reader, store, rebuilt, rebuilt.generation):
        if each.live != each.rebuilt:
            yield each
    # What both have was compared above; here is what only the live one has.
    for each in _pages(reader, store, rebuilt, live):
        if each.rebuilt is None and each.live is not None:
            yield each


def _pages(
    reader: LogReader, store: Store, rebuilt: Followed, generation: Generation
) -> Iterator[Difference]:
    """Yield each row and entry that a generation holds, with its value in both."""
    view = rebuilt.view
    for table in store.tables(view, generation):
        for page in store.keys(view, generation, table):
            keys = sorted({_readable(key) for key in page})
            reads = [ReadRows(table, keys)]
            yield from _both(reader, store, rebuilt, table, keys, reads)
    for collection in store.collections(view, generation):
        for page in store.entries(view, generation, collection):
            entries = sorted({(score, _readable(member)) for score, member in page})
            members = [member for _, member in entries]
            reads = [ReadScores(collection, entries)]
            yield from _both(reader, store, rebuilt, collection, members, reads)


def _both(
    reader: LogReader,
    store: Store,
    rebuilt: Followed,
    key: str,
    members: Sequence[str],
    reads: Sequence[Read],
) -> Iterator[Difference]:
    """Read the same of both generations at one log position."""
    view = rebuilt.view
    live = _answer(store, Request(view, reads))
    Filling(reader, store, [rebuilt]).fill_to(live.checkpoint)
    ours = _answer(store, Request(view, reads, rebuilt.generation))
    values = zip(members, live.replies[0], ours.replies[0], strict=True)
    for member, shown, due in values:
        yield Difference(view.name, key, member, _text(shown), _text(due))


def _text(value: bytes | None) -> str | None:
    return None if value is None else _readable(value)


def _readable(value: bytes) -> str:
    """Decode a value. One that somebody forged need not be text, but is shown too."""
    return value.decode(errors="backslashreplace")


def _answer(store: Store, request: Request) -> Answer:
    (answer,) = store.read([request])
    if answer is None:
        raise Overtaken(f"the view {request.view.name} was switched or lost")
    return answer
