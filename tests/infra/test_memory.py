"""The twins in memory meet the contracts."""

import pytest

from tests.infra.contract_event_store import EventStoreContract, Rig
from tests.infra.contract_security_outbox import SecurityOutboxContract
from tests.support.memory import MemoryEventStore


class MemoryRig(Rig):
    def __init__(self) -> None:
        self.memory = MemoryEventStore()
        memory = self.memory
        super().__init__(memory, memory.credentials, memory.outbox)

    def lose_connection(self) -> None:
        self.memory.break_lease()


class TestEventStore(EventStoreContract):
    @pytest.fixture
    def rig(self) -> MemoryRig:
        return MemoryRig()


class TestSecurityOutbox(SecurityOutboxContract):
    @pytest.fixture
    def rig(self) -> MemoryRig:
        return MemoryRig()
