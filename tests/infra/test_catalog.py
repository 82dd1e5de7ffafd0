"""The three registers are complete, and the page generated from them is fresh."""

from commands.handlers.dispatch import HANDLERS
from commands.handlers.parts import EXPANSIONS
from commands.messages import COMMANDS, Command
from domain.events.event import Event
from domain.events.register import EVENTS
from infra.docs.catalog import PAGE, ROOT, catalog_page, folded_by
from projections.projection import Projection
from projections.register import PROJECTIONS


def test_the_catalog_is_fresh():
    page = (ROOT / PAGE).read_text(encoding="utf-8")

    assert page == catalog_page(), "Run `make catalog`."


def test_every_fact_is_in_its_register():
    assert set(EVENTS) == set(Event.__subclasses__())


def test_every_command_is_in_its_register_and_is_carried_out():
    assert set(COMMANDS) == set(Command.__subclasses__()) == {*HANDLERS, *EXPANSIONS}


def test_every_read_model_is_in_its_register_and_folds_facts():
    ours = {
        each for each in Projection.__subclasses__() if "tests" not in each.__module__
    }
    assert set(PROJECTIONS) == ours
    assert all(folded_by(each) for each in PROJECTIONS)
