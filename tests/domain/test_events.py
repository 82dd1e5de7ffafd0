"""Facts have names that stay, and know the story they belong to."""

import re

from domain.events.event import Meta
from domain.events.register import EVENTS, tag_of
from domain.events.wallet import FundsHeld
from domain.ids import account_of, market_stream, symbol_of, wallet_stream


def test_every_event_has_a_name_of_its_own():
    tags = [tag_of(each) for each in EVENTS]

    assert len(tags) == len(set(tags))
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+(-[a-z]+)*", tag) for tag in tags)
    assert tag_of(FundsHeld) == "wallet.funds-held"


def test_a_fact_of_more_than_five_fields_is_built_by_keyword():
    for event_type in EVENTS:
        fields = event_type.__struct_fields__
        by_place = fields if len(fields) <= 5 else fields[:1]
        assert event_type.__match_args__ == by_place, event_type


def test_a_fact_belongs_to_its_command_or_to_the_story_that_set_it_off():
    assert Meta(1, "actor", "command").correlation_id == "command"
    assert Meta(1, "actor", "command", "request").correlation_id == "request"


def test_a_stream_is_named_after_what_it_is_of():
    assert account_of(wallet_stream("6a1c")) == "6a1c"
    assert symbol_of(market_stream("BRK-B")) == "BRK-B"
