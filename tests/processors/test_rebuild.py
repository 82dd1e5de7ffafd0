"""A rebuild gives the same views, reports differences, and disturbs no reader."""

import itertools
from collections.abc import Generator, Sequence

import pytest

from commands.ports import Segment
from domain.ids import LogPosition
from processors.host import Host, begin
from processors.rebuild import RebuildFailed, projections_named, rebuild, verify
from projections.orders.orders import RECORDS
from projections.register import NAMES, PROJECTIONS
from projections.store import PutRows, Request, Step, View
from tests.support.facts import batches, extend, log_of, segment
from tests.support.flow import Flow
from tests.support.memory import MemoryLogReader
from tests.support.memory_store import MemoryStore
from tests.support.view_stores import AnyStore
from tests.support.views import dump, live_host

FACTS = Flow(3).run(500)
HALF = next(batches(FACTS, [len(FACTS) // 2]))
REST = FACTS[len(HALF) :]


@pytest.fixture(scope="module")
def expected() -> dict[str, list[str]]:
    """The contents of a store after one write of all facts."""
    store = MemoryStore()
    live_host(store).apply(segment(FACTS))
    return dump(store)


def live_generations(store: AnyStore) -> list[str]:
    """Return the live generation of each view, "" if there is none."""
    answers = store.read([Request(each.view, ()) for each in PROJECTIONS])
    return [answer.generation if answer else "" for answer in answers]


def named(generation_id: str) -> list[str]:
    """Return the generation of that id for each view."""
    return [f"{each.view.layout}-{generation_id}" for each in PROJECTIONS]


@pytest.mark.rule("VIEW-02")
def test_a_rebuild_is_the_same_and_takes_the_place_of_the_live_views(
    store: AnyStore, expected: dict[str, list[str]]
):
    live_host(store).apply(segment(FACTS))

    reports = rebuild(log_of(FACTS), store, new_id=lambda: "new")

    assert [each.view for each in reports] == list(NAMES)
    assert all(each.compared and each.switched for each in reports)
    assert [each.differences for each in reports] == [[]] * len(NAMES)
    assert live_generations(store) == named("bnew")
    assert dump(store) == expected
    for each in PROJECTIONS:
        assert store.generations(each.view) == [f"{each.view.layout}-bnew"]


def test_a_rebuild_works_where_nothing_is_live(
    store: AnyStore, expected: dict[str, list[str]]
):
    reports = rebuild(log_of(FACTS), store, new_id=lambda: "new")

    assert not any(each.compared for each in reports)
    assert dump(store) == expected


def spoil(store: AnyStore, host: Host) -> None:
    """Write rows that no fact explains: one wrong order and one extra order."""
    (orders,) = (each for each in host.followed if each.view.name == "orders")
    order_ids = next(iter(store.keys(orders.view, orders.generation, RECORDS)))
    rows = {min(order_ids).decode(): "[]", "invented": "[]"}
    changes = [PutRows(RECORDS, rows)]
    assert store.write([orders.step(orders.checkpoint, changes)], ())


@pytest.mark.rule("VIEW-05")
def test_what_differs_is_reported_and_mended(
    store: AnyStore, expected: dict[str, list[str]]
):
    host = live_host(store)
    host.apply(segment(FACTS))
    spoil(store, host)

    reports = {r.view: r for r in rebuild(log_of(FACTS), store, new_id=lambda: "new")}

    found = {each.member: each for each in reports["orders"].differences}
    assert reports["orders"].differing == len(found) == 2
    assert found["invented"].live == "[]"
    assert found["invented"].rebuilt is None
    assert sum(each.differing for each in reports.values()) == 2
    assert dump(store) == expected


def test_verifying_changes_nothing(store: AnyStore):
    host = live_host(store)
    host.apply(segment(FACTS))
    spoil(store, host)
    before = dump(store)

    reports = verify(log_of(FACTS), store, new_id=lambda: "new")

    assert sum(each.differing for each in reports) == 2
    assert not any(each.switched for each in reports)
    assert dump(store) == before
    assert live_generations(store) == named("test")
    for each in PROJECTIONS:
        assert store.generations(each.view) == [f"{each.view.layout}-test"]


def test_live_views_behind_the_head_are_compared_where_they_are(
    store: AnyStore, expected: dict[str, list[str]]
):
    live_host(store).apply(segment(HALF))

    reports = rebuild(log_of(FACTS), store, new_id=lambda: "new")

    assert sum(each.differing for each in reports) == 0
    assert dump(store) == expected


class MovingLog(MemoryLogReader):
    """A log that grows by a batch at each read, and moves the live views too."""

    def __init__(self, store: MemoryStore, host: Host) -> None:
        super().__init__()
        extend(self, HALF)
        self._rest = batches(REST, itertools.repeat(5))
        self._store = store
        self._host = host

    def read(self, after: LogPosition, limit: int) -> Segment:
        self.move()
        return super().read(after, limit)

    def move(self) -> None:
        """Append the next batch and apply it to the live views."""
        for batch in itertools.islice(self._rest, 1):
            extend(self, batch)
            live = [each for each in self._host.followed if each.live]
            Host(self._store, live).apply(segment(batch))


class MovingStore(MemoryStore):
    """A store that moves the log on whenever keys or entries are listed."""

    log: MovingLog | None = None

    def keys(self, view: View, generation: str, table: str) -> Generator[list[bytes]]:
        if self.log is not None:
            self.log.move()
        yield from super().keys(view, generation, table)

    def entries(
        self, view: View, generation: str, collection: str
    ) -> Generator[list[tuple[int, bytes]]]:
        if self.log is not None:
            self.log.move()
        yield from super().entries(view, generation, collection)


@pytest.mark.rule("VIEW-05")
def test_views_that_move_meanwhile_are_compared_all_the_same():
    store = MovingStore()
    host = live_host(store)
    host.apply(segment(HALF))
    store.log = MovingLog(store, host)

    reports = verify(store.log, store, new_id=lambda: "new")

    assert host.position > len(HALF) + 50
    assert [each.differences for each in reports] == [[]] * len(NAMES)


class FlushedStore(MemoryStore):
    """A store that is flushed during the rebuild."""

    def write(self, steps: Sequence[Step], messages: Sequence[tuple[str, str]]) -> bool:
        if len(self.generations(PROJECTIONS[0].view)) == 2:
            self.flush()
        return super().write(steps, messages)


def test_a_store_that_changes_meanwhile_fails_the_rebuild():
    store = FlushedStore()
    live_host(store).apply(segment(FACTS))

    with pytest.raises(RebuildFailed):
        rebuild(log_of(FACTS), store, new_id=lambda: "new")


def test_what_an_interrupted_rebuild_left_is_dropped_by_the_next():
    store = MemoryStore()
    live_host(store).apply(segment(FACTS))
    begin(store, PROJECTIONS, "bolder")

    rebuild(log_of(FACTS), store, new_id=lambda: "new")

    assert store.generations(PROJECTIONS[0].view) == ["1-bnew"]


class RefusingStore(MemoryStore):
    """A store that refuses its third write, as if another host had written."""

    writes = 0

    def write(self, steps: Sequence[Step], messages: Sequence[tuple[str, str]]) -> bool:
        self.writes += 1
        return self.writes != 3 and super().write(steps, messages)


@pytest.mark.parametrize("size", [len(FACTS), 200])
def test_a_refused_write_fails_the_rebuild_though_folding_went_on(
    size: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("processors.filling.BATCH", size // 2)
    store = RefusingStore()

    with pytest.raises(RebuildFailed):
        rebuild(log_of(FACTS), store, new_id=lambda: "new")

    assert store.generations(PROJECTIONS[0].view) == []


def test_a_rebuild_reports_its_progress():
    steps: list[tuple[int, int]] = []

    rebuild(
        log_of(FACTS),
        MemoryStore(),
        new_id=lambda: "new",
        progress=lambda reached, head: steps.append((reached, head)),
    )

    assert steps[-1] == (len(FACTS), len(FACTS))


def test_read_models_are_named():
    assert projections_named("all") == PROJECTIONS
    assert [each.view.name for each in projections_named("tape")] == ["tape"]
    with pytest.raises(KeyError):
        projections_named("nothing")
