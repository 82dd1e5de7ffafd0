"""The answer to a command: its facts, once they are durable."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from domain.errors import DomainError, NotFound
from domain.events.register import Recorded
from domain.ids import LogPosition, OrderId

#: What became of one part of a command: its answer, or why it was refused.
Outcome: TypeAlias = "Answer | DomainError"


class Answer(msgspec.Struct, frozen=True):
    """What a command recorded.

    `position` is the log position to hand to a query that must show the command.
    `repeated` says that the command was carried out before: the facts are those of the
    first time. A client order id that names an order already is answered without facts:
    `order_id` is that order, for a query at `position`.
    `parts` are the named parts of a command that comes to several, in their order.
    """

    position: LogPosition
    facts: Sequence[Recorded] = ()
    repeated: bool = False
    order_id: OrderId = ""
    parts: Sequence[tuple[str, Outcome]] = ()


class NotHeld(NotFound):
    """The writer holds no such order: a query at `position` knows whether it exists."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__("order", order_id)
        self.position: LogPosition = 0
