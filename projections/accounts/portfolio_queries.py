"""A whole account: its cash and its shares at one log position.

Between two reads, a trade may turn cash into shares. Only a single read of both counts
everything exactly once.
"""

from domain.ids import AccountId
from projections.accounts.balances import Balance, balance_of, balance_request
from projections.accounts.positions import Position, positions_of, positions_request
from projections.store import Views


async def portfolio(
    views: Views, account_id: AccountId
) -> tuple[Balance | None, list[Position]]:
    """Return the cash, None if there is no such account, and the open positions."""
    requests = [balance_request(account_id), positions_request(account_id)]
    cash, shares = await views.read_at_once(requests)
    return balance_of(cash), [each for each in positions_of(shares) if each.quantity]
