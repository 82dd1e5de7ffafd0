"""Read models in tests: facts in, then everything that is stored, as plain text."""

from collections.abc import Iterable, Iterator, Sequence

from domain.events.register import Fact
from processors.host import Host, begin
from projections.projection import Projection
from projections.register import PROJECTIONS
from projections.store import Request, Store, hash_get, in_pairs, scored


def live_host(
    store: Store,
    types: Iterable[type[Projection]] = PROJECTIONS,
    generation_id: str = "test",
) -> Host:
    """A host at work on live generations that are empty."""
    followed = begin(store, types, generation_id)
    for each in followed:
        assert store.switch(each.view, each.place)
        each.live = True
    return Host(store, followed)


def batches(facts: Sequence[Fact], sizes: Iterable[int]) -> Iterator[list[Fact]]:
    """Cut a log into batches of at least these sizes, never within a command."""
    rest = list(facts)
    for size in sizes:
        if not rest:
            return
        cut = max(size, 1)
        while cut < len(rest) and _command(rest[cut]) == _command(rest[cut - 1]):
            cut += 1
        yield rest[:cut]
        rest = rest[cut:]
    if rest:
        yield rest


def _command(fact: Fact) -> str:
    return fact.event.meta.command_id


def dump(
    store: Store, types: Iterable[type[Projection]] = PROJECTIONS
) -> dict[str, list[str]]:
    """Everything that is stored of the live generations, sorted, by key."""
    found: dict[str, list[str]] = {}
    for each in types:
        view = each.view
        (answer,) = store.read([Request(view, [])])
        assert answer is not None, view.name
        found[view.name] = [str(answer.checkpoint)]
        for key, kind in store.keys(view, answer.generation):
            pages = store.members(view, answer.generation, key, kind)
            members = sorted({member for page in pages for member in page})
            found[f"{view.name}:{key}"] = [
                f"{name.decode()}={value}"
                for name, value in _values(store, each, key, kind, members)
            ]
    return found


def _values(
    store: Store,
    projection: type[Projection],
    key: str,
    kind: str,
    members: list[bytes],
) -> list[tuple[bytes, str]]:
    if kind == "hash":
        commands = list(hash_get(key, [member.decode() for member in members]))
        (answer,) = store.read([Request(projection.view, commands)])
        assert answer is not None
        values = [value for reply in answer.replies for value in reply]
        return [
            (member, (value or b"").decode())
            for member, value in zip(members, values, strict=True)
        ]
    everything = scored(
        key, after=None, until=None, newest_first=False, count=len(members)
    )
    (answer,) = store.read([Request(projection.view, [everything])])
    assert answer is not None
    pairs = in_pairs(answer.replies[0])
    return [(member, str(int(score))) for member, score in pairs]
