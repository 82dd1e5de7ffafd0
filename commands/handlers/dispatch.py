"""The table of handlers, and the function that executes a command."""

from collections.abc import Callable
from typing import Any

from commands.handlers import (
    clock,
    closing,
    funding,
    keys,
    markets,
    slices,
    trading,
    users,
)
from commands.messages import (
    CancelAllOrders,
    CancelForOwner,
    CancelOrder,
    CapOpenOrders,
    ChangeListing,
    ChangeMemoryWindow,
    ClosePosition,
    Command,
    ConfirmClock,
    ContinueCancelAll,
    ContinueDayRoll,
    Deposit,
    GrantRole,
    GrantShares,
    HaltMarket,
    ListAsset,
    NoteAccessRefused,
    NoteLoginFailed,
    NoteOperationForced,
    PlaceOrder,
    Register,
    ReplaceOrder,
    ResumeMarket,
    RollDay,
    SetPreferences,
    UseKey,
)
from commands.state.exchange import Exchange
from domain.events.register import Recorded

HANDLERS: dict[type[Command], Callable[[Exchange, Any], None]] = {
    PlaceOrder: trading.place_order,
    ClosePosition: closing.close_position,
    ReplaceOrder: trading.replace_order,
    CancelOrder: trading.cancel_order,
    CancelAllOrders: slices.cancel_all_orders,
    ContinueCancelAll: slices.continue_cancel_all,
    CancelForOwner: trading.cancel_for_owner,
    ListAsset: markets.list_asset,
    ChangeListing: markets.change_listing,
    HaltMarket: markets.halt_market,
    ResumeMarket: markets.resume_market,
    RollDay: slices.roll_day,
    ContinueDayRoll: slices.continue_day_roll,
    ConfirmClock: clock.confirm_clock,
    Deposit: funding.deposit,
    GrantShares: funding.grant_shares,
    SetPreferences: funding.set_preferences,
    CapOpenOrders: funding.cap_open_orders,
    Register: users.register,
    GrantRole: users.grant_role,
    UseKey: keys.use_key,
    ChangeMemoryWindow: keys.change_memory_window,
    NoteLoginFailed: users.note_login_failed,
    NoteAccessRefused: users.note_access_refused,
    NoteOperationForced: users.note_operation_forced,
}


def execute(exchange: Exchange, command: Command) -> list[Recorded]:
    """Execute a command in memory and return its facts.

    The outbox is empty before and after. If it holds facts after an exception, the
    handler failed half way, and the caller must discard this state.

    Raises:
        DomainError: the handler refused the command and recorded nothing.
        Repeated: the writer executed the command before; nothing is recorded.
    """
    keyed = command.meta.key is not None
    if keyed:
        exchange.register.check_command(command.meta)
    HANDLERS[type(command)](exchange, command)
    outbox = exchange.outbox
    if keyed and not outbox:
        exchange.keys.use(meta=command.meta)
    facts = outbox[:]
    outbox.clear()
    exchange.index_command(facts)
    return facts
