"""The register of commands that happen once, by key and by reference.

The register is folded from facts alone. The meta of a keyed command's facts holds its
key and digest; the fact of a deposit or a grant holds its reference. The writer forgets
the keys that move no money after a window (rule MEMORY-02).
"""

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from commands.keys import actor_key, content_digest, deposit_key, grant_key
from commands.state.window import Window
from domain.errors import Conflict
from domain.events.event import Event, Meta, Timestamp
from domain.events.keys import KeyUsed
from domain.events.register import AnyEvent
from domain.events.wallet import FundsDeposited, SharesGranted
from domain.ids import LOG_START, LogPosition, OrderId, Stream, account_of
from domain.key_log import KeyLog


class Use(msgspec.Struct, gc=False, array_like=True):
    """The use of a key or a reference, under its `name` in the register.

    `position` is the log position of the first fact, 0 until it is durable. `at` is the
    time of a use that the writer will forget, 0 for one that it never forgets. `parts`
    are the names of the command's parts.
    """

    name: str
    digest: str
    at: Timestamp = 0
    position: LogPosition = LOG_START
    parts: tuple[str, ...] = ()

    @property
    def owner(self) -> str:
        """Return the actor, to whom the window counts the key."""
        return self.name[: self.name.index("/")]


#: What a `Repeated` has in place of a use or an order.
NO_USE = Use("", "")
NO_ORDER = OrderId("")


class Repeated(Exception):
    """A command that the writer executed before.

    Either `use` is the earlier use of its key or reference, or its client order id
    names the order `order_id`.
    """

    def __init__(self, use: Use = NO_USE, order_id: OrderId = NO_ORDER) -> None:
        super().__init__()
        self.use = use
        self.order_id = order_id


class Register:
    """The remembered uses by name. `window` holds those that end with it, in order."""

    __slots__ = ("uses", "window")

    def __init__(self, keys: KeyLog) -> None:
        self.uses: dict[str, Use] = {}
        self.window: Window[Use] = Window(keys)

    def check(self, name: str, digest: str, *, key: str) -> None:
        """Check that a name is new. `key` is the name that the client chose.

        Raises:
            Repeated: the writer executed the same command before.
            Conflict: the key was used for other content.
        """
        use = self.uses.get(name)
        if use is None:
            return
        if use.digest != digest:
            raise Conflict(key=key)
        raise Repeated(use)

    def check_command(self, meta: Meta) -> None:
        """Check that the `Idempotency-Key` of a command, if it has one, is new."""
        if meta.key is not None:
            name = actor_key(meta.actor, meta.key)
            self.check(name, meta.digest or "", key=meta.key)

    def keyed(self, event: AnyEvent) -> Use:
        """Fold the key of a command; only its first fact counts."""
        meta = event.meta
        assert meta.key is not None
        name = actor_key(meta.actor, meta.key)
        use = self.uses.get(name)
        if use is not None:
            return use
        parts = event.parts if isinstance(event, KeyUsed) else ()
        use = self.uses[name] = Use(name, meta.digest or "", parts=parts)
        if type(event) not in MOVES_MONEY:
            use.at = meta.at
            for gone in self.window.add(use, meta.actor) or ():
                del self.uses[gone.name]
        return use

    def deposited(self, stream: Stream, event: FundsDeposited) -> Use:
        """Fold the reference of a deposit."""
        name = deposit_key(account_of(stream), event.reference)
        return self.uses.setdefault(name, Use(name, content_digest(event.amount)))

    def granted(self, stream: Stream, event: SharesGranted) -> Use:
        """Fold the reference of a grant."""
        name = grant_key(account_of(stream), event.reference)
        digest = content_digest(event.symbol, event.quantity, event.price)
        return self.uses.setdefault(name, Use(name, digest))

    def restore(self, use: Use, *, spared: bool) -> None:
        """Add a use of a snapshot, in the order of the window."""
        self.uses[use.name] = use
        if use.at:
            self.window.restore(use, spared=spared)

    #: The method that folds each kind of fact, in addition to the keys of commands.
    folds: ClassVar[dict[type[Event], Callable[["Register", Stream, Any], Use]]] = {
        FundsDeposited: deposited,
        SharesGranted: granted,
    }


#: A key is never forgotten if the first fact of its command is of these types.
MOVES_MONEY = frozenset(Register.folds)
