"""How an account is asked for as a whole: cash and shares as they were at one moment.

Between two readings a trade may turn the one into the other. Whoever adds both up reads
them together, or would count something twice or not at all.
"""

from domain.ids import AccountId
from projections.accounts.balances import Balance, balance_of, balance_request
from projections.accounts.positions import Position, positions_of, positions_request
from projections.store import Views


async def portfolio(
    views: Views, account_id: AccountId
) -> tuple[Balance | None, list[Position]]:
    """Cash, None where no such account is, and the positions with shares in them."""
    requests = [balance_request(account_id), positions_request(account_id)]
    cash, shares = await views.read_at_once(requests)
    return balance_of(cash), [each for each in positions_of(shares) if each.quantity]
