"""Compares two generations of a read model while the live one keeps moving.

The live generation follows the log and cannot be paused. So the comparison reads each
page of it together with its checkpoint. Nobody else writes the rebuilt generation. The
comparison brings it to exactly that log position, then reads the same page of it.
"""

from collections.abc import Iterator, Sequence

import msgspec

from commands.ports import LogReader
from processors.filling import Filling
from processors.follower import Overtaken
from processors.host import Followed
from projections.store import (
    Generation,
    Read,
    ReadResult,
    ReadRows,
    ReadScores,
    Request,
    Store,
)


class Difference(msgspec.Struct, frozen=True):
    """A value that differs between the live and the rebuilt generation."""

    view: str
    key: str
    member: str
    live: str | None
    rebuilt: str | None


def differences(
    reader: LogReader, store: Store, rebuilt: Followed
) -> Iterator[Difference]:
    """Yield every difference between the live generation and the rebuilt one.

    `rebuilt` must not be ahead of the live generation. It follows the live one to the
    log position of each page.
    """
    view = rebuilt.view
    live = _answer(store, Request(view, ())).generation
    for each in _pages(reader, store, rebuilt, rebuilt.generation):
        if each.live != each.rebuilt:
            yield each
    # The first pass covered the rebuilt values; this one finds live-only values.
    for each in _pages(reader, store, rebuilt, live):
        if each.rebuilt is None and each.live is not None:
            yield each


def _pages(
    reader: LogReader, store: Store, rebuilt: Followed, generation: Generation
) -> Iterator[Difference]:
    """Yield each row and entry of a generation, with its value in both."""
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
    """Read the same keys of both generations at one log position."""
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
    """Decode a value. Invalid UTF-8 is escaped, so that forged values show too."""
    return value.decode(errors="backslashreplace")


def _answer(store: Store, request: Request) -> ReadResult:
    (answer,) = store.read([request])
    if answer is None:
        raise Overtaken(f"the view {request.view.name} was switched or lost")
    return answer
