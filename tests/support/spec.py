"""Given facts, when a decision, then facts: a test of one aggregate."""

from collections.abc import Callable
from typing import Generic, TypeVar

from domain.aggregate import Aggregate
from domain.errors import DomainError
from domain.events.event import Meta
from domain.events.register import AnyEvent

AT = 1_790_000_000_000_000
#: The time, actor and command of everything in a given/when/then.
META = Meta(AT, "tester", "command-1")

Subject = TypeVar("Subject", bound=Aggregate)


class Spec(Generic[Subject]):
    """One aggregate under test."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self._refusal: DomainError | None = None

    def given(self, *events: AnyEvent) -> "Spec[Subject]":
        for event in events:
            self.subject.replay(event)
        return self

    def when(self, decide: Callable[[Subject], None]) -> "Spec[Subject]":
        try:
            decide(self.subject)
        except DomainError as refusal:
            self._refusal = refusal
        return self

    def then(self, *events: AnyEvent) -> Subject:
        """Assert that exactly these facts were recorded, and return the aggregate."""
        assert self._refusal is None, self._refusal
        assert [each.event for each in self.subject.outbox] == list(events)
        return self.subject

    def then_refused(self, kind: type[DomainError], **facts: str) -> None:
        """Assert that the decision was refused with these facts and recorded none."""
        assert self._refusal is not None
        assert type(self._refusal) is kind, self._refusal
        assert self._refusal.facts.items() >= facts.items()
        assert self.subject.outbox == []
