"""The handler that closes a position with a market order."""

from commands.handlers.trading import place_order
from commands.messages import ClosePosition, PlaceOrder
from commands.state.exchange import Exchange
from domain.errors import InvalidOrder, NotFound
from domain.ids import ClientOrderId
from domain.market.market import Market
from domain.market.order import Ticket
from domain.money import Quantity
from domain.vocabulary import OrderType, Side, TimeInForce


def close_position(exchange: Exchange, command: ClosePosition) -> None:
    """Sell a position, or a part of it, with a market order.

    Raises:
        NotFound: the account has no shares of the symbol.
    """
    market = exchange.market(command.symbol)
    symbol = market.book.symbol
    holding = exchange.wallet(command.account_id).holdings.get(symbol)
    if holding is None or not holding.quantity:
        raise NotFound("position", symbol)
    ticket = Ticket(
        order_id=command.order_id,
        client_order_id=ClientOrderId(command.order_id),
        account_id=command.account_id,
        symbol=symbol,
        side=Side.SELL,
        order_type=OrderType.MARKET,
        time_in_force=TimeInForce.DAY,
        quantity=_part(market, holding.quantity, command),
        limit_price=None,
    )
    place_order(exchange, PlaceOrder(command.meta, ticket))


def _part(market: Market, held: Quantity, command: ClosePosition) -> Quantity:
    """Return the quantity to sell; round a percentage down to whole lots."""
    percentage = command.percentage
    if percentage is None:
        return held if command.quantity is None else command.quantity
    if not 0 < percentage <= 100:
        raise InvalidOrder(
            "percentage must be more than 0 and at most 100", field="percentage"
        )
    lot = market.listing.lot_size
    part = Quantity(int(int(held) * percentage / 100))
    quantity = part // lot * lot
    if not quantity:
        raise InvalidOrder("percentage is less than one lot", field="percentage")
    return quantity
