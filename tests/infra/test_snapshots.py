"""Snapshots, on Postgres and in memory."""

from collections.abc import Generator

import psycopg
import pytest

from domain.ids import LogPosition
from infra.log.connection import Datastore
from infra.log.migrations import migrate
from infra.log.snapshots import PostgresSnapshotStore
from tests.infra.contract_snapshots import Rig, SnapshotStoreContract
from tests.support.memory import MemorySnapshotStore


class MemoryRig(Rig):
    def __init__(self) -> None:
        self.memory = MemorySnapshotStore()
        super().__init__(self.memory)

    def damage(self, position: LogPosition) -> None:
        self.memory.damage(position)


class PostgresRig(Rig):
    def __init__(self, database_url: str, datastore: Datastore) -> None:
        self.database_url = database_url
        super().__init__(PostgresSnapshotStore(datastore))

    def damage(self, position: LogPosition) -> None:
        with psycopg.connect(self.database_url) as connection:
            connection.execute(
                "UPDATE snapshots SET state = set_byte(state, 0, 7) "
                "WHERE originator_id = %s AND originator_version = 1",
                (f"snapshot-{position}",),
            )


class TestMemory(SnapshotStoreContract):
    @pytest.fixture
    def rig(self) -> Rig:
        return MemoryRig()


class TestPostgres(SnapshotStoreContract):
    @pytest.fixture
    def rig(self, database_url: str) -> Generator[Rig]:
        migrate(database_url)
        with Datastore(database_url) as datastore:
            yield PostgresRig(database_url, datastore)

    def test_what_is_kept_no_longer_takes_no_space(self, rig: PostgresRig):
        for position in (5, 9, 12):
            rig.store.save(position, iter([b"state"]))

        with psycopg.connect(rig.database_url) as connection:
            rows = connection.execute(
                "SELECT DISTINCT originator_id FROM snapshots ORDER BY 1"
            ).fetchall()

        assert rows == [("snapshot-12",), ("snapshot-9",)]
