"""Whether two generations of a read model hold the same, while one of them goes on.

The live generation moves on with the log and cannot be held still. So each page of it
is read together with its checkpoint, and the other one, which nobody else writes, is
brought to exactly that log position before the same page of it is read.
"""

from collections.abc import Iterator

import msgspec

from commands.ports import LogReader
from domain.ids import LogPosition
from processors.host import Followed, Host, Overtaken
from projections.store import (
    Answer,
    Generation,
    Request,
    Store,
    hash_get,
    sorted_scores,
)

BATCH = 2_000


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
    """Each member that a generation holds, with its value in both."""
    view = rebuilt.view
    for key, kind in store.keys(view, generation):
        for page in store.members(view, generation, key, kind):
            members = sorted({_readable(member) for member in page})
            named = hash_get if kind == "hash" else sorted_scores
            commands = list(named(key, members))
            live = _answer(store, Request(view, commands))
            advance(reader, store, rebuilt, live.checkpoint)
            ours = _answer(store, Request(view, commands, rebuilt.generation))
            values = zip(members, _values(live), _values(ours), strict=True)
            for member, shown, due in values:
                yield Difference(view.name, key, member, shown, due)


def advance(
    reader: LogReader, store: Store, followed: Followed, position: LogPosition
) -> None:
    """Bring a generation to exactly this log position, where a command ends."""
    host = Host(store, [followed])
    while followed.checkpoint < position:
        facts = reader.read(followed.checkpoint, BATCH)
        if not facts:
            # The live view shows more than the log has: it is a view of another log.
            raise Overtaken
        host.apply([fact for fact in facts if fact.position <= position])


def _values(answer: Answer) -> list[str | None]:
    return [
        None if value is None else _readable(value)
        for reply in answer.replies
        for value in reply
    ]


def _readable(value: bytes) -> str:
    """What somebody forged need not even be text; it is a difference all the same."""
    return value.decode(errors="backslashreplace")


def _answer(store: Store, request: Request) -> Answer:
    (answer,) = store.read([request])
    if answer is None:
        raise Overtaken
    return answer
