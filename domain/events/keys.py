"""Facts of the stream `keys-log`: idempotency keys that no other fact carries."""

from domain.events.event import Event


class KeyUsed(Event, frozen=True, tag="keys.used"):
    """A command with an `Idempotency-Key` was carried out, and no other fact says so.

    The command changed nothing, or it came to these `parts`, each with its own key.
    """

    parts: tuple[str, ...] = ()
