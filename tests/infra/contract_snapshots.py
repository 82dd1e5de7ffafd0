"""The contract of every store of snapshots."""

from abc import ABC, abstractmethod
from collections.abc import Iterator

import pytest

from commands.ports import SnapshotStore
from domain.ids import LogPosition


class Rig(ABC):
    """A store under test, whose disk can fail."""

    def __init__(self, store: SnapshotStore) -> None:
        self.store = store

    @abstractmethod
    def damage(self, position: LogPosition) -> None: ...


def interrupted() -> Iterator[bytes]:
    yield b"half"
    raise KeyboardInterrupt


def newest(store: SnapshotStore) -> tuple[LogPosition, list[bytes]] | None:
    snapshot = store.newest()
    return None if snapshot is None else (snapshot.position, list(snapshot.chunks))


class SnapshotStoreContract:
    def test_at_first_there_is_none(self, rig: Rig):
        assert rig.store.newest() is None

    def test_the_newest_comes_back_chunk_by_chunk(self, rig: Rig):
        chunks = [b"\x00first\xff", b"", b"third" * 100_000]
        rig.store.save(5, iter([b"older"]))
        rig.store.save(9, iter(chunks))

        assert newest(rig.store) == (9, chunks)

    def test_a_damaged_one_is_passed_over(self, rig: Rig):
        for position in (5, 9):
            rig.store.save(position, iter([b"state", str(position).encode()]))

        rig.damage(9)
        assert newest(rig.store) == (5, [b"state", b"5"])

        rig.damage(5)
        assert newest(rig.store) is None

    def test_two_are_kept(self, rig: Rig):
        for position in (5, 9, 12):
            rig.store.save(position, iter([b"state", str(position).encode()]))

        rig.damage(12)
        rig.damage(9)

        assert newest(rig.store) is None

    def test_an_interrupted_save_changes_nothing_and_can_be_done_again(self, rig: Rig):
        rig.store.save(5, iter([b"whole"]))
        with pytest.raises(KeyboardInterrupt):
            rig.store.save(9, interrupted())
        assert newest(rig.store) == (5, [b"whole"])

        rig.store.save(9, iter([b"again"]))

        assert newest(rig.store) == (9, [b"again"])

    def test_a_damaged_one_can_be_saved_again(self, rig: Rig):
        rig.store.save(5, iter([b"state"]))
        rig.damage(5)

        rig.store.save(5, iter([b"state"]))

        assert newest(rig.store) == (5, [b"state"])
