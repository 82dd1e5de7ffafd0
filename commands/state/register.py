"""The register of commands that happen once: keys, references, client order ids.

The register is folded from facts alone. The meta of a keyed command's facts holds its
key and digest; the fact of a deposit, a grant or an order holds its reference or client
order id.
"""

from collections.abc import Callable
from typing import Any, ClassVar

import msgspec

from commands.keys import actor_key, content_digest, deposit_key, grant_key
from domain.errors import Conflict
from domain.events.event import Event, Meta
from domain.events.keys import KeyUsed
from domain.events.register import AnyEvent
from domain.events.wallet import FundsDeposited, SharesGranted
from domain.ids import (
    LOG_START,
    AccountId,
    ClientOrderId,
    LogPosition,
    OrderId,
    Stream,
    account_of,
)


class Use(msgspec.Struct, gc=False, array_like=True):
    """The use of a key.

    `position` is the log position of the first fact, 0 until it is durable. `parts` are
    the names of the command's parts. For a client order id only `order_id` is set.
    """

    digest: str = ""
    position: LogPosition = LOG_START
    order_id: OrderId = OrderId("")
    parts: tuple[str, ...] = ()


class Repeated(Exception):
    """A command that the writer executed before; `use` is the earlier use."""

    def __init__(self, use: Use) -> None:
        super().__init__()
        self.use = use


class Register:
    """All uses: keys and references by name, client order ids by account."""

    __slots__ = ("client_ids", "uses")

    def __init__(self) -> None:
        self.uses: dict[str, Use] = {}
        self.client_ids: dict[AccountId, dict[ClientOrderId, OrderId]] = {}

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
        parts = event.parts if isinstance(event, KeyUsed) else ()
        use = Use(meta.digest or "", parts=parts)
        return self.uses.setdefault(actor_key(meta.actor, meta.key), use)

    def deposited(self, stream: Stream, event: FundsDeposited) -> Use:
        """Fold the reference of a deposit."""
        name = deposit_key(account_of(stream), event.reference)
        return self.uses.setdefault(name, Use(content_digest(event.amount)))

    def granted(self, stream: Stream, event: SharesGranted) -> Use:
        """Fold the reference of a grant."""
        name = grant_key(account_of(stream), event.reference)
        digest = content_digest(event.symbol, event.quantity, event.price)
        return self.uses.setdefault(name, Use(digest))

    def ordered(
        self, account_id: AccountId, client_order_id: ClientOrderId, order_id: OrderId
    ) -> None:
        """Fold a client order id."""
        ids = self.client_ids.get(account_id)
        if ids is None:
            ids = self.client_ids[account_id] = {}
        ids[client_order_id] = order_id

    #: The method that folds each kind of fact, in addition to the keys of commands.
    folds: ClassVar[dict[type[Event], Callable[["Register", Stream, Any], Use]]] = {
        FundsDeposited: deposited,
        SharesGranted: granted,
    }
