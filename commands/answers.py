"""The answer to a command: its facts, once they are durable."""

from collections.abc import Sequence
from typing import TypeAlias

import msgspec

from domain.errors import DomainError, NotFound
from domain.events.register import Recorded
from domain.ids import LOG_START, LogPosition, OrderId

#: The outcome of one part of a command: its answer, or its refusal.
Outcome: TypeAlias = "Answer | DomainError"


class Answer(msgspec.Struct, frozen=True):
    """The facts of a command.

    A query at `position` shows the command. If `repeated` is true, an earlier command
    recorded the facts. If a client order id already names an order, the answer has no
    facts: a query at `position` for `order_id` returns that order. `parts` are the
    named parts of a command that expands to several, in their order.
    """

    position: LogPosition
    facts: Sequence[Recorded] = ()
    repeated: bool = False
    order_id: OrderId = OrderId("")
    parts: Sequence[tuple[str, Outcome]] = ()


class NotHeld(NotFound):
    """The writer does not hold the order; a query at `position` may find it."""

    def __init__(self, order_id: OrderId) -> None:
        super().__init__("order", order_id)
        self.position = LOG_START
