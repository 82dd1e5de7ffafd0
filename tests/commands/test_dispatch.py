"""docs/rules/commands.md: a command returns its facts and empties the outbox."""

import pytest

from commands.handlers import dispatch
from commands.handlers.dispatch import execute
from commands.messages import Command, Deposit, HaltMarket, PlaceOrder
from commands.state.exchange import Exchange, locate
from domain.events.market import Halted, OrderAccepted
from domain.events.wallet import FundsHeld
from tests.support.tickets import ticket
from tests.support.venue import Venue


def order(venue: Venue, name: str) -> PlaceOrder:
    return PlaceOrder(venue.meta(), ticket(order_id=name, client_order_id=name))


def ready() -> Venue:
    """Return a venue where alice can buy and no key waits for its log position."""
    venue = Venue()
    venue.trader("alice", cash="10000")
    venue.exchange.take_unlocated()
    return venue


@pytest.mark.rule("COMMAND-01")
def test_a_command_returns_all_its_facts_and_empties_the_outbox():
    venue = ready()

    facts = execute(venue.exchange, order(venue, "first"))

    assert [type(each.event) for each in facts] == [FundsHeld, OrderAccepted]
    assert [each.stream for each in facts] == ["wallet-alice", "market-ACME"]
    assert venue.exchange.outbox == []


@pytest.mark.rule("COMMAND-01")
def test_later_commands_do_not_change_the_facts_of_a_command():
    venue = ready()
    facts = execute(venue.exchange, order(venue, "first"))
    copy = facts[:]

    execute(venue.exchange, order(venue, "second"))

    assert facts == copy


@pytest.mark.rule("COMMAND-02")
def test_a_use_gets_its_log_position_from_its_place_in_the_command():
    venue = ready()
    execute(venue.exchange, Deposit(venue.meta(), "alice", 5, "wire"))

    locate(venue.exchange.take_unlocated(), first=101)

    assert venue.exchange.register.uses["deposit/alice/wire"].position == 101
    assert venue.exchange.take_unlocated() == []


@pytest.mark.rule("COMMAND-04")
def test_a_defect_half_way_leaves_facts_in_the_outbox(
    monkeypatch: pytest.MonkeyPatch,
):
    whole = dispatch.HANDLERS[HaltMarket]

    def half(exchange: Exchange, command: Command) -> None:
        whole(exchange, command)
        raise ZeroDivisionError

    monkeypatch.setitem(dispatch.HANDLERS, HaltMarket, half)
    venue = ready()

    with pytest.raises(ZeroDivisionError):
        execute(venue.exchange, HaltMarket(venue.meta(), "ACME", "news"))

    assert [type(each.event) for each in venue.exchange.outbox] == [Halted]
