"""The product as a scenario's market: commands in memory, and their facts."""

import msgspec

from benchmarks.opening import Grant
from commands.messages import (
    CancelAllOrders,
    CancelForOwner,
    CancelOrder,
    ChangeListing,
    Command,
    HaltMarket,
    ListingChanges,
    PlaceOrder,
    ReplaceOrder,
    ResumeMarket,
    RollDay,
    SetPreferences,
)
from commands.state import frozen
from domain.errors import DomainError
from domain.events.market import (
    DayRolled,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    TradeExecuted,
)
from domain.events.register import AnyEvent
from domain.ids import HOUSE_ACCOUNT
from domain.market.order import Replacement, Ticket
from domain.vocabulary import OrderType, SelfTradePrevention, Side, TimeInForce
from tests.support import amounts
from tests.support.ladder import Ladder
from tests.support.scenario import (
    HOUSE,
    Action,
    Balances,
    Cancel,
    CancelAll,
    Ended,
    Halt,
    Outcome,
    Place,
    Prefer,
    Replace,
    Resume,
    Roll,
    Session,
    Terms,
    Trade,
    TurnedAway,
)
from tests.support.venue import Venue, ladder_of

TERMS = {
    "tick": "tick_size",
    "lot": "lot_size",
    "reference": "reference_price",
    "band": "price_band",
    "collar": "collar",
    "maker-fee": "maker_fee",
    "taker-fee": "taker_fee",
}


class Product:
    """One market of a venue in memory."""

    def __init__(self, venue: Venue | None = None, symbol: str = "ACME") -> None:
        self.venue = venue or Venue()
        self.symbol = symbol

    def open(self, name: str, balances: Balances) -> None:
        grants: list[Grant] = []
        if balances.shares:
            price, rest = divmod(balances.cost, balances.shares)
            assert not rest, "a grant has one price for all its shares"
            grants.append(Grant(self.symbol, balances.shares, price))
        self.venue.open(name, balances.cash, grants)

    def carry_out(self, action: Action) -> list[Outcome]:
        try:
            events = self.venue.tell(self._command(action))
        except DomainError as refusal:
            bound = refusal.facts.get("bound")
            limit = amounts.read(bound) if isinstance(bound, str) else None
            return [TurnedAway("refused", refusal.code, limit)]
        return [each for event in events if (each := _outcome(event)) is not None]

    def _command(self, action: Action) -> Command:
        meta = self.venue.meta()
        match action:
            case Place():
                return PlaceOrder(meta, _ticket(action, self.symbol))
            case Replace():
                tif = action.time_in_force
                new = Replacement(
                    action.new_id,
                    f"my {action.new_id}",
                    action.quantity,
                    action.price,
                    None if tif is None else TimeInForce(tif),
                )
                return ReplaceOrder(meta, action.owner, action.order_id, new)
            case Cancel("administrator"):
                return CancelForOwner(meta, action.order_id, "by mistake")
            case Cancel():
                return CancelOrder(meta, action.by, action.order_id)
            case CancelAll():
                return CancelAllOrders(meta, action.owner)
            case Prefer():
                policy = _policy(action.prevention)
                return SetPreferences(meta, action.owner, policy, action.suspended)
            case Terms(changes):
                terms = {TERMS[name]: value for name, value in changes.items()}
                new_terms = msgspec.convert(terms, ListingChanges)
                # The reference market knows no conditions.
                return ChangeListing(meta, self.symbol, new_terms, force=True)
            case Halt():
                return HaltMarket(meta, self.symbol, "news")
            case Resume():
                return ResumeMarket(meta, self.symbol)
            case Roll():
                return RollDay(meta, self.symbol, action.session)

    def ladder(self) -> Ladder:
        return ladder_of(self.venue.exchange.market(self.symbol).book)

    def balances(self, name: str) -> Balances:
        account_id = HOUSE_ACCOUNT if name == HOUSE else name
        wallet = self.venue.exchange.wallets.get(account_id)
        if wallet is None and name == HOUSE:
            return Balances(0, 0, 0)
        assert wallet is not None, name
        holding = wallet.holdings.get(self.symbol)
        if holding is None:
            return Balances(wallet.ledger, 0, 0, wallet.held)
        return Balances(
            wallet.ledger,
            holding.quantity,
            holding.cost,
            wallet.held,
            holding.reserved,
        )

    def status(self, owner: str, order_id: str) -> str:
        return self.venue.status_of(owner, order_id)

    def restart(self) -> None:
        saved = self.venue.state()
        self.venue.exchange = frozen.load(saved)
        assert self.venue.state() == saved, "a restored state is the saved one"


def _ticket(order: Place, symbol: str) -> Ticket:
    return Ticket(
        order.order_id,
        f"my {order.order_id}",
        order.owner,
        symbol,
        Side(order.side),
        OrderType.MARKET if order.price is None else OrderType.LIMIT,
        TimeInForce(order.time_in_force),
        order.quantity,
        order.price,
        _policy(order.prevention),
    )


def _policy(word: str | None) -> SelfTradePrevention | None:
    return None if word is None else SelfTradePrevention(word)


def _outcome(event: AnyEvent) -> Outcome | None:
    """Return the outcome that a fact shows, or None for a fact of a wallet."""
    match event:
        case TradeExecuted():
            return Trade(
                event.trade_id,
                event.quantity,
                event.price,
                event.maker_account_id,
                event.maker_fee,
                event.taker_fee,
            )
        case OrderCanceled():
            return Ended(
                event.account_id, event.quantity, event.resting_price, event.reason
            )
        case OrderExpired():
            price = event.resting_price
            return Ended(event.account_id, event.quantity, price, "expired")
        case OrderRejected():
            return TurnedAway("rejected", event.reason, event.bound)
        case DayRolled():
            return Session(event.session_date, event.previous_close)
        case _:
            return None
