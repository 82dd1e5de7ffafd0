"""How cash and shares come in, and what an account prefers for its orders."""

from commands.exchange import Exchange
from commands.messages import Deposit, GrantShares, SetPreferences
from commands.receipts import deposit_key, digest, grant_key


def deposit(exchange: Exchange, command: Deposit) -> None:
    """Take in cash, once for each reference of an account."""
    wallet = exchange.wallet(command.account_id)
    key = deposit_key(command.account_id, command.reference)
    content = digest(command.amount)
    exchange.receipts.check(key, content, name=command.reference)
    wallet.deposit(command.amount, command.reference, meta=command.meta)


def grant_shares(exchange: Exchange, command: GrantShares) -> None:
    """Take in shares of a listed instrument, once for each reference of an account."""
    wallet = exchange.wallet(command.account_id)
    market = exchange.market(command.symbol)
    key = grant_key(command.account_id, command.reference)
    content = digest(command.symbol, command.quantity, command.price)
    exchange.receipts.check(key, content, name=command.reference)
    wallet.grant(
        market.book.symbol,
        quantity=command.quantity,
        price=command.price,
        reference=command.reference,
        meta=command.meta,
    )


def set_preferences(exchange: Exchange, command: SetPreferences) -> None:
    """Change an account's defaults; what is None stays as it is."""
    wallet = exchange.wallet(command.account_id)
    prevention, suspended = command.self_trade_prevention, command.suspend_trade
    wallet.prefer(
        wallet.self_trade_prevention if prevention is None else prevention,
        suspended=wallet.suspended if suspended is None else suspended,
        meta=command.meta,
    )
