"""Handlers for deposits, share grants, and an account's preferences and cap."""

from commands.keys import content_digest, deposit_key, grant_key
from commands.messages import CapOpenOrders, Deposit, GrantShares, SetPreferences
from commands.state.exchange import Exchange


def deposit(exchange: Exchange, command: Deposit) -> None:
    """Add cash, once for each reference of an account.

    Raises:
        Repeated: the account has this deposit.
        Conflict: the reference was used for another amount.
    """
    wallet = exchange.wallet(command.account_id)
    key = deposit_key(command.account_id, command.reference)
    content = content_digest(command.amount)
    exchange.register.check(key, content, key=command.reference)
    wallet.deposit(command.amount, command.reference, meta=command.meta)


def grant_shares(exchange: Exchange, command: GrantShares) -> None:
    """Add shares of a listed instrument, once for each reference of an account.

    Raises:
        Repeated: the account has this grant.
        Conflict: the reference was used for another grant.
    """
    wallet = exchange.wallet(command.account_id)
    market = exchange.market(command.symbol)
    key = grant_key(command.account_id, command.reference)
    content = content_digest(command.symbol, command.quantity, command.price)
    exchange.register.check(key, content, key=command.reference)
    wallet.grant(
        market.book.symbol,
        quantity=command.quantity,
        price=command.price,
        reference=command.reference,
        meta=command.meta,
    )


def set_preferences(exchange: Exchange, command: SetPreferences) -> None:
    """Change an account's defaults; None keeps a default."""
    wallet = exchange.wallet(command.account_id)
    prevention, suspended = command.self_trade_prevention, command.suspend_trade
    wallet.prefer(
        wallet.self_trade_prevention if prevention is None else prevention,
        suspended=wallet.suspended if suspended is None else suspended,
        meta=command.meta,
    )


def cap_open_orders(exchange: Exchange, command: CapOpenOrders) -> None:
    """Set an account's cap on open orders; record nothing if it has that cap."""
    wallet = exchange.wallet(command.account_id)
    wallet.cap_open_orders(command.max_open_orders, meta=command.meta)
