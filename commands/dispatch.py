"""Which function carries out which command."""

from collections.abc import Callable
from typing import Any

from commands import funding, markets, trading, users
from commands.exchange import Exchange
from commands.messages import (
    CancelAllOrders,
    CancelForOwner,
    CancelOrder,
    ChangeListing,
    Command,
    Deposit,
    GrantRole,
    GrantShares,
    HaltMarket,
    ListAsset,
    NoteAccessRefused,
    NoteLoginFailed,
    PlaceOrder,
    Register,
    ReplaceOrder,
    ResumeMarket,
    RollDay,
    SetPreferences,
    UseKey,
)

HANDLERS: dict[type[Command], Callable[[Exchange, Any], None]] = {
    PlaceOrder: trading.place_order,
    ReplaceOrder: trading.replace_order,
    CancelOrder: trading.cancel_order,
    CancelAllOrders: trading.cancel_all_orders,
    CancelForOwner: trading.cancel_for_owner,
    ListAsset: markets.list_asset,
    ChangeListing: markets.change_listing,
    HaltMarket: markets.halt_market,
    ResumeMarket: markets.resume_market,
    RollDay: markets.roll_day,
    Deposit: funding.deposit,
    GrantShares: funding.grant_shares,
    SetPreferences: funding.set_preferences,
    Register: users.register,
    GrantRole: users.grant_role,
    UseKey: users.use_key,
    NoteLoginFailed: users.note_login_failed,
    NoteAccessRefused: users.note_access_refused,
}


def execute(exchange: Exchange, command: Command) -> int:
    """Carry out a command in memory; where in the outbox its facts begin.

    Raises:
        DomainError: it is refused, and nothing was recorded.
        Repeated: it was carried out before, and nothing was recorded.
    """
    outbox = exchange.outbox
    start = len(outbox)
    command_id = command.meta.command_id
    if "#" in command_id:
        exchange.receipts.check_command(command_id)
    HANDLERS[type(command)](exchange, command)
    if "#" in command_id and len(outbox) == start:
        exchange.keys.use(meta=command.meta)
    for place in range(start, len(outbox)):
        recorded = outbox[place]
        exchange.index(recorded.event, recorded.stream, place)
    if len(outbox) > start:
        exchange.index_key(outbox[start].event, start)
    return start
