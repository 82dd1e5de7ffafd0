"""The twins in memory keep the contracts."""

import pytest

from tests.infra.contract_event_store import EventStoreContract, Rig
from tests.support.memory import MemoryEventStore


class MemoryRig(Rig):
    def __init__(self) -> None:
        self.memory = MemoryEventStore()
        super().__init__(self.memory, self.memory.credentials)

    def lose_connection(self) -> None:
        self.memory.break_lease()


class TestEventStore(EventStoreContract):
    @pytest.fixture
    def rig(self) -> MemoryRig:
        return MemoryRig()
