"""Handlers that place, replace and cancel orders: hold, then place, then settle.

`Market` and `Wallet` do not import each other; the handlers carry facts between them. A
handler raises every refusal before the first fact, so a refusal leaves no fact behind.
"""

from commands.answers import NotHeld
from commands.handlers.wallet_effects import apply_to_wallets
from commands.messages import (
    CancelForOwner,
    CancelOrder,
    PlaceOrder,
    ReplaceOrder,
)
from commands.state.exchange import Exchange
from commands.state.register import Repeated
from domain.accounts.wallet import Wallet
from domain.errors import (
    CancelAllInProgress,
    OrderDone,
    TooManyOpenOrders,
    TradingSuspended,
)
from domain.events.event import Meta
from domain.ids import AccountId, OrderId, symbol_of
from domain.market.market import Market
from domain.market.order import Order
from domain.money import Price, Quantity
from domain.vocabulary import SELL, CancelReason, OrderStatus


def place_order(exchange: Exchange, command: PlaceOrder) -> None:
    """Place an order: set aside its backing, match it and settle its trades.

    A rejection by the market is a fact, not an error.

    Raises:
        Repeated: the client order id names an order of the account.
        DomainError: the terms make no sense, or the account does not cover them.
    """
    ticket, meta = command.ticket, command.meta
    known = exchange.orders.by_client_id(ticket.account_id, ticket.client_order_id)
    if known is not None:
        raise Repeated(order_id=known)
    market = exchange.market(ticket.symbol)
    wallet = exchange.wallet(ticket.account_id)
    market.check(ticket)
    if wallet.suspended:
        raise TradingSuspended
    if wallet.open_orders >= wallet.max_open_orders and ticket.may_rest:
        raise TooManyOpenOrders(most=wallet.max_open_orders)
    prevention = ticket.self_trade_prevention or wallet.self_trade_prevention
    objection = market.objection(ticket)
    if objection is not None:
        market.reject(ticket, objection, prevention=prevention, meta=meta)
        return
    worst = market.worst_price(ticket)
    if ticket.side is SELL:
        wallet.reserve(ticket.order_id, ticket.symbol, ticket.quantity, meta)
    elif worst is not None:
        amount, per_share = market.listing.hold_of_buy(worst, ticket.quantity)
        wallet.hold(ticket.order_id, amount=amount, per_share=per_share, meta=meta)
    facts = market.place(ticket, worst, prevention, meta)
    # Most orders only rest, and an acceptance alone moves nothing.
    if len(facts) > 1:
        apply_to_wallets(exchange, ticket.symbol, facts)


def replace_order(exchange: Exchange, command: ReplaceOrder) -> None:
    """Replace a resting order and exchange its hold or reserve.

    Raises:
        Repeated: the new client order id names an order of the account.
        DomainError: the order cannot change, or the account does not cover it.
    """
    new, meta = command.replacement, command.meta
    known = exchange.orders.by_client_id(command.account_id, new.client_order_id)
    if known is not None:
        raise Repeated(order_id=known)
    market, order = _open_order(exchange, command.account_id, command.order_id)
    wallet = exchange.wallets[command.account_id]
    if wallet.suspended:
        raise TradingSuspended
    if wallet.cancel_all is not None:
        raise CancelAllInProgress
    quantity, price = market.check_replacement(order, new)
    _exchange_backing(wallet, market, order, new.order_id, quantity, price, meta)
    facts = market.replace(order, new, quantity=quantity, price=price, meta=meta)
    apply_to_wallets(exchange, order.symbol, facts)


def _exchange_backing(
    wallet: Wallet,
    market: Market,
    order: Order,
    order_id: OrderId,
    quantity: Quantity,
    price: Price,
    meta: Meta,
) -> None:
    """Release the old order's hold or reserve and set aside the new one's."""
    left = quantity - order.filled
    if order.side is SELL:
        wallet.check_shares(order.symbol, left, freed=order.leaves)
        wallet.release(order.order_id, meta=meta)
        wallet.reserve(order_id, order.symbol, left, meta=meta)
        return
    amount, per_share = market.listing.hold_of_buy(price, left)
    wallet.check_funds(amount, freed=wallet.holds[order.order_id].amount)
    wallet.release(order.order_id, meta=meta)
    wallet.hold(order_id, amount=amount, per_share=per_share, meta=meta)


def cancel_order(exchange: Exchange, command: CancelOrder) -> None:
    """Cancel an open order of the account and release its hold or reserve."""
    market, order = _open_order(exchange, command.account_id, command.order_id)
    cancel(exchange, market, order, CancelReason.REQUESTED, "", command.meta)


def cancel_for_owner(exchange: Exchange, command: CancelForOwner) -> None:
    """Cancel an open order of any account, with the administrator's reason."""
    entry = exchange.orders.find(command.order_id)
    if entry is None:
        raise NotHeld(command.order_id)
    market, order = _open_order(exchange, entry[0], command.order_id)
    reason = CancelReason.ADMINISTRATIVE
    cancel(exchange, market, order, reason, command.note, command.meta)


def cancel(
    exchange: Exchange,
    market: Market,
    order: Order,
    reason: CancelReason,
    note: str,
    meta: Meta,
) -> None:
    """Cancel an order in the book and release what backs it."""
    facts = market.cancel(order, reason, note=note, meta=meta)
    apply_to_wallets(exchange, order.symbol, facts)


def _open_order(
    exchange: Exchange, account_id: AccountId, order_id: OrderId
) -> tuple[Market, Order]:
    entry = exchange.orders.of(account_id, order_id)
    if entry is None:
        raise NotHeld(order_id)
    if entry.status is not OrderStatus.NEW:
        raise OrderDone(status=entry.status)
    market = exchange.markets[symbol_of(entry.stream)]
    return market, market.book.orders[order_id]
