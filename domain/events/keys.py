"""Facts of the stream `keys-log`: idempotency keys that no other fact carries."""

from domain.events.event import Event


class KeyUsed(Event, frozen=True, tag="keys.used"):
    """A command with an `Idempotency-Key` was carried out that no other fact tells of:
    it changed nothing, or it is carried out in these `parts`, each with a key of its
    own."""

    parts: tuple[str, ...] = ()
