"""Many closed orders for little: facts of orders that the market rejected."""

from collections.abc import Callable

from domain.events.event import Meta
from domain.events.market import OrderRejected
from domain.events.register import Fact
from domain.ids import AccountId, OrderId, Symbol, market_stream
from domain.money import dollars
from domain.vocabulary import (
    OrderType,
    RejectReason,
    SelfTradePrevention,
    Side,
    TimeInForce,
)
from tests.support.spec import AT

ADA = AccountId("ada")


def rejections(
    count: int,
    *,
    side: Callable[[int], Side] = lambda _: Side.SELL,
    symbol: Callable[[int], Symbol] = lambda _: Symbol("ACME"),
) -> list[Fact]:
    """Return the facts of ada's rejected orders, one each microsecond."""
    return [
        Fact(
            number + 1,
            market_stream(symbol(number)),
            number + 1,
            OrderRejected(
                Meta(AT + number, ADA, f"command-{number}"),
                order_id=OrderId(f"00000000-0000-7000-8000-{number:012}"),
                client_order_id=f"client-{number}",
                account_id=ADA,
                side=side(number),
                order_type=OrderType.LIMIT,
                time_in_force=TimeInForce.DAY,
                quantity=1,
                limit_price=dollars(100),
                reason=RejectReason.MARKET_HALTED,
                bound=None,
                self_trade_prevention=SelfTradePrevention.CANCEL_NEWEST,
            ),
        )
        for number in range(count)
    ]
