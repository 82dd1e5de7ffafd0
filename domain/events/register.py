"""The register of all facts, and the envelopes that place a fact in stream and log."""

from typing import TypeAlias, get_args

import msgspec

from domain.events.clock import ClockConfirmed
from domain.events.event import Event
from domain.events.keys import KeyEvent
from domain.events.market import MarketEvent
from domain.events.security import SecurityEvent
from domain.events.user import UserEvent
from domain.events.wallet import WalletEvent
from domain.ids import LogPosition, Stream

AnyEvent: TypeAlias = (
    MarketEvent | WalletEvent | UserEvent | SecurityEvent | KeyEvent | ClockConfirmed
)

EVENTS: tuple[type[Event], ...] = get_args(AnyEvent)


class Recorded(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """An event with its place in its stream."""

    stream: Stream
    version: int
    event: AnyEvent


class Fact(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A recorded event with its log position."""

    position: LogPosition
    stream: Stream
    version: int
    event: AnyEvent


def tag_of(event_type: type[Event]) -> str:
    """Return the stable name of an event type, such as `wallet.funds-held`."""
    return str(event_type.__struct_config__.tag)
