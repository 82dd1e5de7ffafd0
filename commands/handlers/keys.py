"""Handlers for idempotency keys and the window in which the writer remembers them."""

import msgspec

from commands.messages import ChangeMemoryWindow, UseKey
from commands.state.exchange import Exchange


def use_key(exchange: Exchange, command: UseKey) -> None:
    """Record a key and the names of its command's parts."""
    exchange.keys.use(command.parts, meta=command.meta)


def change_memory_window(exchange: Exchange, command: ChangeMemoryWindow) -> None:
    """Change the limits of the memory window; None keeps a limit.

    Raises:
        InvalidOrder: a limit is out of bounds.
    """
    changes = {
        name: value
        for name in ("count_max", "age_max", "own_max")
        if (value := getattr(command, name)) is not None
    }
    window = msgspec.structs.replace(exchange.keys.window, **changes)
    exchange.keys.change_window(window, meta=command.meta)
