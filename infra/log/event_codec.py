"""Encodes events, and decodes stored events of any age as today's events.

The state of an event is its JSON, `type` and `meta` included. If today's decoder does
not accept a state, the state has an old form. The upcaster of its tag then changes the
form step by step until the decoder accepts it. Current forms cost nothing extra.

    def order_accepted_without_stp(old: Form) -> Form:
        return old | {"self_trade_prevention": "cancel_newest"}

An upcaster may change the tag, if an event was renamed; the upcaster of the new tag
then continues.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import msgspec

from domain.events.register import AnyEvent, Fact
from domain.ids import LogPosition, Stream

Form: TypeAlias = dict[str, object]
Upcaster: TypeAlias = Callable[[Form], Form]
Row: TypeAlias = tuple[LogPosition, Stream, int, bytes]

#: Upcasters by the tag of the stored form. So far every form is today's.
UPCASTERS: Mapping[str, Upcaster] = {}

encode_event = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AnyEvent).decode
_decode_form = msgspec.json.Decoder(Form).decode
#: More steps than this mean that upcasters undo each other.
_STEPS_MAX = 100


class UndecodableEvent(Exception):
    """The log holds an event that this version of Bourse cannot read.

    Readers stop here and skip nothing, because a state without that event would be
    wrong. Either a newer version wrote the log, or an upcaster is missing.
    """

    code = "undecodable-event"

    def __init__(self, *, position: LogPosition, tag: str, cause: str) -> None:
        super().__init__(
            f'the event "{tag}" at log position {position} cannot be decoded: {cause}'
        )
        self.position = position
        self.tag = tag
        self.cause = cause


class EventDecoder:
    """A decoder from rows of the log to facts in today's form."""

    def __init__(self, upcasters: Mapping[str, Upcaster] = UPCASTERS) -> None:
        self._upcasters = upcasters

    def facts(self, rows: Iterable[Row]) -> list[Fact]:
        """Return each row as a fact. Raises UndecodableEvent."""
        rows = list(rows)
        decode = _decode
        try:
            return [
                Fact(
                    at,
                    stream,
                    n,
                    # Only an old form of a command id contains this mark.
                    _keyed(decode(state)) if b"#" in state else decode(state),
                )
                for at, stream, n, state in rows
            ]
        except msgspec.MsgspecError:
            return [self._fact(row) for row in rows]

    def _fact(self, row: Row) -> Fact:
        position, stream, version, state = row
        try:
            event = _decode(state)
        except msgspec.MsgspecError:
            event = self._upcast(position, state)
        return Fact(position, stream, version, _keyed(event))

    def _upcast(self, position: LogPosition, state: bytes) -> AnyEvent:
        tag = "?"
        try:
            form = _decode_form(state)
            for _ in range(_STEPS_MAX):
                tag = str(form.get("type", "?"))
                upcaster = self._upcasters.get(tag)
                if upcaster is None:
                    return msgspec.convert(form, AnyEvent)
                form = upcaster(form)
                event = _accepted(form)
                if event is not None:
                    return event
            cause = f"after {_STEPS_MAX} upcasters it still has no form of today"
            raise UndecodableEvent(position=position, tag=tag, cause=cause)
        except msgspec.MsgspecError as reason:
            raise UndecodableEvent(
                position=position, tag=tag, cause=str(reason)
            ) from reason


def _keyed(event: AnyEvent) -> AnyEvent:
    """Move the key and its digest from an old command id to their fields.

    An old command id contained the `Idempotency-Key`: `actor/key#digest`.
    """
    meta = event.meta
    whole, mark, digest = meta.command_id.rpartition("#")
    actor, slash, key = whole.partition("/")
    if not (mark and slash and actor == meta.actor) or meta.key is not None:
        return event
    keyed = msgspec.structs.replace(meta, key=key, digest=digest)
    return msgspec.structs.replace(event, meta=keyed)


def _accepted(form: Form) -> AnyEvent | None:
    try:
        return msgspec.convert(form, AnyEvent)
    except msgspec.ValidationError:
        return None
