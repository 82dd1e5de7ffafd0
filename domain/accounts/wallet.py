"""One trader's cash and shares: ledger, holds, reserves, cost basis.

ledger = available + held, shares = available shares + reserved ones, and no part is
ever negative. Cash in 1/10,000 of a dollar, whole shares, settled at once (T+0).

Each decision asserts what must hold of the parts that its fact touched, before the
fact can be committed (rule WALLET-06). A replay asserts nothing. The assertions stand
in the decisions themselves, because one more call for each fact shows in every order.
"""

from domain.accounts.settlement import cost_given_up
from domain.accounts.wallet_state import ORDER, Holding, WalletState
from domain.errors import (
    AmountTooLarge,
    CancelAllInProgress,
    InsufficientFunds,
    InsufficientShares,
    InvalidOrder,
)
from domain.events.event import Meta
from domain.events.market import TradeExecuted
from domain.events.wallet import (
    CancelAllAccepted,
    CancelAllCompleted,
    FeeCollected,
    FundsDeposited,
    FundsHeld,
    FundsReleased,
    OpenOrderCapSet,
    PreferencesChanged,
    SharesGranted,
    SharesReleased,
    SharesReserved,
    TradeSettled,
    WalletOpened,
)
from domain.ids import HoldId, OrderId, Symbol, UserId
from domain.money import (
    MONEY_MAX,
    NO_MONEY,
    NO_PRICE,
    NO_SHARES,
    PRICE_MAX,
    QUANTITY_MAX,
    Money,
    Price,
    Quantity,
)
from domain.vocabulary import BUY, HoldPurpose, SelfTradePrevention, Side, WalletKind

#: The highest cap on open orders that an administrator can set.
OPEN_ORDERS_MAX = 1_000_000


class Wallet(WalletState):
    """The decisions on one account's cash and shares."""

    __slots__ = ()

    # --- cash and shares come in ---

    def open(self, user_id: UserId, kind: WalletKind, *, meta: Meta) -> None:
        """Open the wallet, which is empty."""
        self.record(WalletOpened(meta, user_id, kind))

    def prefer(
        self, prevention: SelfTradePrevention, *, suspended: bool, meta: Meta
    ) -> None:
        """Set the account's defaults for orders; record nothing if none changes."""
        if (prevention, suspended) != (self.self_trade_prevention, self.suspended):
            self.record(PreferencesChanged(meta, prevention, suspended))

    def cap_open_orders(self, most: int, *, meta: Meta) -> None:
        """Set how many open orders the account may have (rule ORDER-15)."""
        if not 0 <= most <= OPEN_ORDERS_MAX:
            raise InvalidOrder(
                f"max_open_orders must be from 0 to {OPEN_ORDERS_MAX:,}",
                field="max_open_orders",
            )
        if most != self.max_open_orders:
            self.record(OpenOrderCapSet(meta, most))

    def deposit(self, amount: Money, reference: str, *, meta: Meta) -> None:
        """Add cash (rule WALLET-01)."""
        if amount <= 0:
            raise InvalidOrder("an amount must be more than zero", field="amount")
        if self.ledger + amount > MONEY_MAX:
            raise AmountTooLarge("the amount is beyond what a wallet carries")
        self.record(FundsDeposited(meta, amount, reference))
        assert 0 <= self.held <= self.ledger

    def grant(
        self,
        symbol: Symbol,
        *,
        quantity: Quantity,
        price: Price,
        reference: str,
        meta: Meta,
    ) -> None:
        """Add shares at a cost of `price` each (rule WALLET-02)."""
        if quantity <= 0:
            raise InvalidOrder("a quantity must be more than zero", field="qty")
        if price < 0:
            raise InvalidOrder("a price must not be negative", field="price")
        holding = self.holdings.get(symbol) or Holding()
        if (
            holding.quantity + quantity > QUANTITY_MAX
            or price > PRICE_MAX
            or holding.cost + price * quantity > MONEY_MAX
        ):
            raise AmountTooLarge("the shares are beyond what a wallet carries")
        self.record(SharesGranted(meta, symbol, quantity, price, reference))
        assert self.holdings[symbol].cost >= 0
        assert self.holdings[symbol].reserved <= self.holdings[symbol].quantity

    # --- holds and reserves ---

    def backed_orders(self) -> list[OrderId]:
        """Return the account's open orders, which are those with a hold or reserve."""
        holds = self.holds.items()
        buys = [OrderId(name) for name, hold in holds if hold.purpose is ORDER]
        return [*buys, *self.reserves]

    def accept_cancel_all(self, symbols: tuple[Symbol, ...], *, meta: Meta) -> None:
        """Accept a cancel-all of the orders that are open now (rule ORDER-16).

        Raises:
            CancelAllInProgress: the account has an earlier one in progress.
        """
        if self.cancel_all is not None:
            raise CancelAllInProgress
        self.record(CancelAllAccepted(meta, symbols))

    def complete_cancel_all(self, *, meta: Meta) -> None:
        """Record that no order that the cancel-all covers is open."""
        self.record(CancelAllCompleted(meta))

    def check_funds(self, amount: Money, *, freed: Money = NO_MONEY) -> None:
        """Check that available cash plus `freed` covers a hold."""
        available = self.ledger - self.held + freed
        if amount > available:
            raise InsufficientFunds(available=available, required=amount)

    def hold(
        self,
        hold_id: HoldId,
        *,
        amount: Money,
        per_share: Price = NO_PRICE,
        purpose: HoldPurpose = ORDER,
        meta: Meta,
    ) -> None:
        """Set cash aside for a buy or another purpose (rules WALLET-03, WALLET-10)."""
        self.check_funds(amount)
        # A second hold under one id would leave the first without a trace.
        assert hold_id not in self.holds
        self.record(FundsHeld(meta, hold_id, amount, per_share, purpose))
        assert self.held <= self.ledger

    def check_shares(
        self, symbol: Symbol, quantity: Quantity, *, freed: Quantity = NO_SHARES
    ) -> Holding:
        """Return the holding, unless its available shares plus `freed` are too few."""
        holding = self.holdings.get(symbol) or Holding()
        if quantity > holding.quantity - holding.reserved + freed:
            raise InsufficientShares(
                symbol=symbol,
                requested=quantity,
                held=holding.quantity,
                reserved=holding.reserved - freed,
            )
        return holding

    def reserve(
        self, order_id: OrderId, symbol: Symbol, quantity: Quantity, meta: Meta
    ) -> None:
        """Set shares aside for a sell (rule WALLET-04)."""
        holding = self.check_shares(symbol, quantity)
        self.record(SharesReserved(meta, order_id, symbol, quantity))
        assert holding.reserved <= holding.quantity

    def release(self, hold_id: HoldId, *, meta: Meta) -> None:
        """Release the rest of a hold or reserve, if any (WALLET-05, WALLET-10)."""
        hold = self.holds.get(hold_id)
        if hold is not None:
            self.record(FundsReleased(meta, hold_id, hold.amount))
            assert self.held >= 0
            return
        # Only orders have reserves, so an id with a reserve is that of an order.
        order_id: OrderId = hold_id  # pyright: ignore[reportAssignmentType] # see above
        reserve = self.reserves.get(order_id)
        if reserve is not None:
            symbol, quantity = reserve
            self.record(SharesReleased(meta, order_id, symbol, quantity))
            assert self.holdings[symbol].reserved >= 0

    # --- a trade settles ---

    def settle(
        self,
        order_id: OrderId,
        trade: TradeExecuted,
        *,
        symbol: Symbol,
        side: Side,
        fee: Money,
    ) -> None:
        """Settle this account's leg of a trade (rules SETTLE-01 to -05)."""
        quantity = trade.quantity
        if side is BUY:
            hold = self.holds[order_id]
            held = hold.per_share * quantity
            cost = trade.price * quantity + fee
            assert held <= hold.amount
            assert hold.purpose is ORDER
        else:
            held = NO_MONEY
            holding = self.holdings[symbol]
            cost = cost_given_up(
                cost=holding.cost, held=holding.quantity, sold=quantity
            )
            assert quantity <= holding.reserved
            assert cost <= holding.cost
        self.record(
            TradeSettled(
                meta=trade.meta,
                order_id=order_id,
                trade_id=trade.trade_id,
                symbol=symbol,
                side=side,
                price=trade.price,
                quantity=quantity,
                fee=fee,
                held=held,
                cost=cost,
            )
        )
        assert self.held <= self.ledger

    def collect(self, trade: TradeExecuted, symbol: Symbol) -> None:
        """Add the fees of both sides to the house wallet (rule FEE-01)."""
        amount = trade.maker_fee + trade.taker_fee
        self.record(FeeCollected(trade.meta, symbol, trade.trade_id, amount))
        assert 0 <= self.held <= self.ledger
