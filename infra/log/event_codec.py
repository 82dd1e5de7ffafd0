"""How the stored form of an event becomes today's event.

The state of an event is its JSON, `type` and `meta` included. What today's decoder does
not accept is an old form: it is taken apart into plain values, changed step by step by
the upcasters of its tag, and decoded again. Current forms pay nothing for that.

    def order_accepted_without_stp(old: Form) -> Form:
        return old | {"self_trade_prevention": "cancel_newest"}

It is called until the form is one of today, so that each step may be a small one. It
may change the tag too (an event was renamed); the upcaster of the new tag goes on then.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import TypeAlias

import msgspec

from domain.events.register import AnyEvent, Fact
from domain.ids import LogPosition, Stream

Form: TypeAlias = dict[str, object]
Upcaster: TypeAlias = Callable[[Form], Form]
Row: TypeAlias = tuple[LogPosition, Stream, int, bytes]

#: By the tag of the stored form. Nothing was released with another form than today's.
UPCASTERS: Mapping[str, Upcaster] = {}

encode_event = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(AnyEvent).decode
_decode_form = msgspec.json.Decoder(Form).decode
#: So many renamings in a row are a circle.
_STEPS_MAX = 100


class UndecodableEvent(Exception):
    """The log holds an event that this version of Bourse cannot read.

    Nothing is skipped: whoever reads stops here, because a state without that event
    would be wrong. Either the log was written by a newer version, or an upcaster lacks.
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
    """Turns rows of the log into facts, in today's form."""

    def __init__(self, upcasters: Mapping[str, Upcaster] = UPCASTERS) -> None:
        self._upcasters = upcasters

    def facts(self, rows: Iterable[Row]) -> list[Fact]:
        """Return all rows as facts. Raises UndecodableEvent."""
        rows = list(rows)
        decode = _decode
        try:
            return [
                Fact(
                    at,
                    stream,
                    n,
                    # Only an old form of a command id has the mark in it.
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
            cause = f"after {_STEPS_MAX} upcasters it is still no form of today"
            raise UndecodableEvent(position=position, tag=tag, cause=cause)
        except msgspec.MsgspecError as reason:
            raise UndecodableEvent(
                position=position, tag=tag, cause=str(reason)
            ) from reason


def _keyed(event: AnyEvent) -> AnyEvent:
    """Take the key and its digest out of an old command id.

    An `Idempotency-Key` once stood in the command id: `actor/key#digest`.
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
