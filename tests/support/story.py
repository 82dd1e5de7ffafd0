"""A small exchange for tests of views, with named accounts."""

from typing import Any

from domain.events.event import Meta
from domain.events.register import Recorded
from tests.support.facts import segment
from tests.support.memory_store import MemoryStore, MemoryViews
from tests.support.spec import AT
from tests.support.venue import Venue
from tests.support.views import live_host

SECOND = 1_000_000
ACME = "ACME"


class Story(Venue):
    """A venue at 100.00 whose views show each command at once. Time stands still."""

    CASH = "1000000"
    SHARES = 1_000
    SHARE_PRICE = "90"

    def __init__(self, **terms: Any) -> None:
        self._store = MemoryStore()
        self._host = live_host(self._store)
        self.views = MemoryViews(self._store)
        self.now = AT
        self._orders = 0
        super().__init__(reference_price="100", **terms)
        self.checks_refusals = False

    @property
    def published(self) -> list[tuple[str, str]]:
        return self._store.published

    def meta(self, actor: str = "tester") -> Meta:
        self._number += 1
        return Meta(self.now, actor, f"command-{self._number}")

    def new_id(self, name: str) -> str:
        del name
        self._orders += 1
        return f"order-{self._orders:03}"

    def record(self, recorded: list[Recorded]) -> None:
        super().record(recorded)
        if recorded:
            self._host.apply(segment(self.facts[-len(recorded) :]))

    def wait(self, seconds: int = 1) -> None:
        self.now += seconds * SECOND
