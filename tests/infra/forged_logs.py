"""Logs with one forged fact, and the audit of a log."""

from collections.abc import Callable

import msgspec

from commands.ports import Snapshot
from domain.events.event import Event
from domain.events.market import OrderAccepted
from domain.events.register import AnyEvent, Fact
from infra.audit.state import LiveState
from infra.audit.verify import Audit, AuditReport
from infra.log.event_store import PostgresEventStore
from tests.support.facts import renumbered, with_event
from tests.support.stored_log import write_log

Forger = Callable[[list[Fact]], list[Fact]]


def audit_of(
    database_url: str,
    facts: list[Fact],
    *,
    live: LiveState | None = None,
    snapshot: Snapshot | None = None,
) -> AuditReport:
    write_log(database_url, facts)
    with PostgresEventStore(database_url) as store:
        audit = Audit(store.reader, live=live, snapshot=snapshot)
        audit.run()
    return audit.report(None, seconds=0)


def failed(report: AuditReport) -> set[str]:
    return {check.name for check in report.checks if not check.passed}


def first(
    event_type: type[Event], facts: list[Fact], wanted: Callable[[Fact], bool] | None
) -> int:
    """Return the place of a late fact of that kind, which more facts follow."""
    places = [
        place
        for place, fact in enumerate(facts)
        if isinstance(fact.event, event_type) and (wanted is None or wanted(fact))
    ]
    return places[len(places) // 2]


def changed(
    event_type: type[Event],
    wanted: Callable[[Fact], bool] | None = None,
    /,
    **values: object,
) -> Forger:
    """Change fields of one fact. An int is added to the field's value."""

    def forge(facts: list[Fact]) -> list[Fact]:
        place = first(event_type, facts, wanted)
        fact = facts[place]
        event: AnyEvent = fact.event
        fields = msgspec.structs.asdict(event)
        new = {
            name: fields[name] + value if isinstance(value, int) else value
            for name, value in values.items()
        }
        forged = msgspec.structs.replace(event, **new)
        facts[place] = with_event(fact, forged)
        return facts

    return forge


def rests(fact: Fact) -> bool:
    """Whether a fact accepts an order of which nothing traded at once."""
    event = fact.event
    return isinstance(event, OrderAccepted) and event.resting == event.quantity


def missing(
    event_type: type[Event], wanted: Callable[[Fact], bool] | None = None
) -> Forger:
    def forge(facts: list[Fact]) -> list[Fact]:
        del facts[first(event_type, facts, wanted)]
        return facts

    return forge


def twice(event_type: type[Event]) -> Forger:
    def forge(facts: list[Fact]) -> list[Fact]:
        place = first(event_type, facts, None)
        facts.insert(place, facts[place])
        return facts

    return forge


def careful(forge: Forger) -> Forger:
    return lambda facts: renumbered(forge(facts))
