"""Golden files pin today's stored forms; the decoder reads old forms as today's."""

from pathlib import Path

import msgspec
import pytest

from domain.events.event import Meta
from domain.events.register import EVENTS, AnyEvent, Fact, tag_of
from domain.events.wallet import FundsHeld
from domain.vocabulary import HoldPurpose
from infra.log.event_codec import EventDecoder, Form, UndecodableEvent, encode_event
from tests.infra.golden_events import EXAMPLES

GOLDEN = Path(__file__).parents[1] / "golden" / "events"
OLD_FORMS = GOLDEN.with_name("old_forms")
META = b'"meta":{"at":5,"actor":"6a1c","command_id":"c-1"}'
OLD_HOLD = b'{"type":"wallet.funds-held",' + META + b',"order_id":"o-1","amount":9}'
OLD_NAME = b'{"type":"wallet.money-held",' + META + b',"order_id":"o-1","amount":9}'
HOLD = (
    b'{"type":"wallet.funds-held",'
    + META
    + b',"order_id":"o-1","amount":9,"per_share":3}'
)


def golden(event: AnyEvent) -> Path:
    return GOLDEN / f"{tag_of(type(event))}.json"


def hold_per_share(old: Form) -> Form:
    return old | {"per_share": 3}


def renamed(old: Form) -> Form:
    return old | {"type": "wallet.funds-held"}


def by_tag(event: AnyEvent) -> str:
    return tag_of(type(event))


def test_every_event_has_an_example_and_no_golden_file_is_orphaned():
    tags = {tag_of(event_type) for event_type in EVENTS}

    assert {by_tag(event) for event in EXAMPLES} == tags
    assert {path.stem for path in GOLDEN.iterdir()} == tags


@pytest.mark.parametrize("event", EXAMPLES, ids=by_tag)
def test_an_event_is_stored_as_its_golden_file_says(event: AnyEvent):
    stored = msgspec.json.format(encode_event(event), indent=2).decode()

    assert stored + "\n" == golden(event).read_text()


@pytest.mark.parametrize("event", EXAMPLES, ids=by_tag)
def test_a_golden_file_is_read_as_its_event(event: AnyEvent):
    state = golden(event).read_bytes()

    assert EventDecoder({}).facts([(7, "s", 3, state)]) == [Fact(7, "s", 3, event)]


@pytest.mark.parametrize(
    "path", sorted(OLD_FORMS.iterdir()), ids=lambda path: path.stem
)
def test_a_form_that_the_log_still_holds_is_read_as_todays_event(path: Path):
    (event,) = [each for each in EXAMPLES if by_tag(each) == path.stem]

    (fact,) = EventDecoder().facts([(7, "s", 3, path.read_bytes())])

    assert fact == Fact(7, "s", 3, event)


def test_only_a_hold_of_another_purpose_says_what_it_is_for():
    for_order = FundsHeld(Meta(5, "6a1c", "c-1"), "o-1", 9, 3)
    for_payout = msgspec.structs.replace(for_order, purpose=HoldPurpose.WITHDRAWAL)

    assert encode_event(for_order) == HOLD
    assert encode_event(for_payout) == HOLD[:-1] + b',"purpose":"withdrawal"}'
    for event in (for_order, for_payout):
        assert EventDecoder({}).facts([(7, "s", 3, encode_event(event))]) == [
            Fact(7, "s", 3, event)
        ]


def test_an_old_form_becomes_todays_event_and_its_neighbors_stay():
    decoder = EventDecoder({"wallet.funds-held": hold_per_share})

    old, new = decoder.facts([(1, "s", 1, OLD_HOLD), (2, "s", 2, HOLD)])

    assert old.event == new.event


def test_an_event_may_have_been_renamed_and_changed_since():
    decoder = EventDecoder(
        {"wallet.money-held": renamed, "wallet.funds-held": hold_per_share}
    )

    (fact,) = decoder.facts([(1, "s", 1, OLD_NAME)])

    assert encode_event(fact.event) == HOLD


@pytest.mark.parametrize(
    ("state", "tag"),
    [
        (b'{"type":"wallet.melted",' + META + b"}", "wallet.melted"),
        (OLD_HOLD, "wallet.funds-held"),
        (b'{"no":"type"}', "?"),
        (b"[]", "?"),
        (b"not json", "?"),
    ],
)
def test_what_cannot_be_decoded_is_named_by_log_position_and_tag(
    state: bytes, tag: str
):
    with pytest.raises(UndecodableEvent, match="log position 42") as caught:
        EventDecoder({}).facts([(41, "s", 1, HOLD), (42, "s", 2, state)])

    assert (caught.value.position, caught.value.tag) == (42, tag)


def test_upcasters_that_go_in_circles_are_found_out():
    decoder = EventDecoder({"wallet.funds-held": lambda old: old})

    with pytest.raises(UndecodableEvent, match="no form of today"):
        decoder.facts([(1, "s", 1, OLD_HOLD)])
