"""Which keyed commands were carried out, and where the log tells of them.

A key is what the caller chose to make a command once: an `Idempotency-Key`, or the
reference of a deposit. Folded from the log: the key and the digest of the content stand
in the command id of the facts, or follow from the fact itself.
"""

import hashlib
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import msgspec

from domain.errors import Conflict
from domain.events.event import Event
from domain.events.register import AnyEvent
from domain.events.wallet import FundsDeposited, SharesGranted
from domain.ids import AccountId, CommandId, LogPosition, Stream, account_of


class Receipt(msgspec.Struct, gc=False, array_like=True):
    """What a key was used for. `position` is 0 until it is committed."""

    digest: str
    position: LogPosition = 0


class Repeated(Exception):
    """A command was carried out before; the log has its answer.

    `position` asks where, 0 for as long as the first one is not committed. `check`
    raises a refusal where the facts of the first one had other content.
    """

    def __init__(
        self,
        position: Callable[[], LogPosition],
        check: Callable[[Sequence[AnyEvent]], None],
    ) -> None:
        super().__init__()
        self.position = position
        self.check = check


def digest(*content: object) -> str:
    """A short fingerprint of a command's content."""
    return hashlib.blake2b(repr(content).encode(), digest_size=12).hexdigest()


def keyed_command_id(actor: str, key: str, *content: object) -> CommandId:
    """The command id of a command that carries an `Idempotency-Key`."""
    return f"{actor}/{key}#{digest(*content)}"


def part_of(command_id: CommandId, part: object) -> CommandId:
    """The id of one of the commands that a request with a key comes to. No key that a
    caller chooses has a blank in it."""
    key, mark, content = command_id.rpartition("#")
    return f"{key} {part}{mark}{content}"


def deposit_key(account_id: AccountId, reference: str) -> str:
    return f"deposit/{account_id}/{reference}"


def grant_key(account_id: AccountId, reference: str) -> str:
    return f"grant/{account_id}/{reference}"


class Receipts:
    """All receipts by key."""

    __slots__ = ("by_key",)

    def __init__(self) -> None:
        self.by_key: dict[str, Receipt] = {}

    def check(self, key: str, content: str, *, name: str) -> None:
        """Pass a key that is new; `name` is what the caller calls it.

        Raises:
            Repeated: the same command was carried out before.
            Conflict: the key was used for other content.
        """
        receipt = self.by_key.get(key)
        if receipt is None:
            return
        if receipt.digest != content:
            raise Conflict(key=name)
        raise Repeated(lambda: receipt.position, _same)

    def check_command(self, command_id: CommandId) -> None:
        """Pass a command whose `Idempotency-Key`, if it has one, is new."""
        key, mark, content = command_id.rpartition("#")
        if mark:
            self.check(key, content, name=key.partition("/")[2])

    def keyed(self, event: AnyEvent) -> Receipt:
        """Note the command of a fact whose command id carries a key."""
        key, _, content = event.meta.command_id.rpartition("#")
        return self.by_key.setdefault(key, Receipt(content))

    def deposited(self, stream: str, event: FundsDeposited) -> Receipt:
        key = deposit_key(account_of(stream), event.reference)
        return self.by_key.setdefault(key, Receipt(digest(event.amount)))

    def granted(self, stream: str, event: SharesGranted) -> Receipt:
        key = grant_key(account_of(stream), event.reference)
        content = digest(event.symbol, event.quantity, event.price)
        return self.by_key.setdefault(key, Receipt(content))

    #: Which method folds which fact, besides the commands that carry a key.
    folds: ClassVar[dict[type[Event], Callable[["Receipts", Stream, Any], Receipt]]] = {
        FundsDeposited: deposited,
        SharesGranted: granted,
    }


def _same(_: Sequence[AnyEvent]) -> None:
    """The digest has been compared already."""
