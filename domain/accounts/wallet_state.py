"""The state of a wallet, as its facts built it: cash, shares, holds, reserves.

`domain/accounts/wallet.py` adds the decisions. An effect only assigns: the decision has
checked what must hold.
"""

from typing import Any, ClassVar

import msgspec

from domain.accounts.settlement import cash_moved
from domain.aggregate import Aggregate, Frozen, Outbox
from domain.events.event import Meta
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
from domain.ids import AccountId, HoldId, OrderId, Symbol, UserId, wallet_stream
from domain.money import NO_MONEY, NO_PRICE, NO_SHARES, Money, Price, Quantity
from domain.vocabulary import BUY, HoldPurpose, SelfTradePrevention, WalletKind

#: Reading a module's name is several times faster than reading a member of an enum.
ORDER = HoldPurpose.ORDER


#: An account may have this many open orders, unless an administrator sets another cap.
OPEN_ORDERS = 2_000


class Holding(msgspec.Struct, gc=False):
    """The shares of one instrument that an account owns, and their cost basis."""

    quantity: Quantity = NO_SHARES
    reserved: Quantity = NO_SHARES
    cost: Money = NO_MONEY


class Hold(msgspec.Struct, gc=False, array_like=True):
    """Cash set aside; an order holds `per_share` for each open share."""

    amount: Money
    per_share: Price = NO_PRICE
    purpose: HoldPurpose = ORDER


class CancelAll(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A cancel-all in progress, accepted with `meta`.

    `covered` are the orders that were open then. If there are `symbols`, the cancel-all
    leaves orders of other instruments open.
    """

    meta: Meta
    symbols: tuple[Symbol, ...]
    covered: list[OrderId]


class FrozenWallet(Frozen, tag="wallet"):
    """A frozen wallet. `held` and `open_orders` follow from `holds` and `reserves`."""

    user_id: UserId
    kind: WalletKind
    ledger: Money
    holds: dict[HoldId, Hold]
    holdings: dict[Symbol, Holding]
    reserves: dict[OrderId, tuple[Symbol, Quantity]]
    self_trade_prevention: SelfTradePrevention
    suspended: bool
    max_open_orders: int = OPEN_ORDERS
    cancel_all: CancelAll | None = None


class WalletState(Aggregate):
    """The cash and shares of one account, without decisions.

    `held` is the sum of `holds`. `reserves` maps an order to its symbol and quantity.
    `open_orders` counts the orders with a hold or reserve. `cancel_all` is None unless
    one is in progress.
    """

    __slots__ = (
        "cancel_all",
        "held",
        "holdings",
        "holds",
        "kind",
        "ledger",
        "max_open_orders",
        "open_orders",
        "reserves",
        "self_trade_prevention",
        "suspended",
        "user_id",
    )

    def __init__(self, account_id: AccountId, outbox: Outbox) -> None:
        super().__init__(wallet_stream(account_id), outbox)
        self.user_id = UserId("")
        self.kind = WalletKind.TRADER
        self.ledger = NO_MONEY
        self.held = NO_MONEY
        self.holds: dict[HoldId, Hold] = {}
        self.holdings: dict[Symbol, Holding] = {}
        self.reserves: dict[OrderId, tuple[Symbol, Quantity]] = {}
        self.self_trade_prevention = SelfTradePrevention.CANCEL_NEWEST
        self.suspended = False
        self.open_orders = 0
        self.max_open_orders = OPEN_ORDERS
        self.cancel_all: CancelAll | None = None

    @property
    def available(self) -> Money:
        """Return the cash that no hold sets aside."""
        return self.ledger - self.held

    # --- facts take effect ---

    def _opened(self, event: WalletOpened) -> None:
        self.user_id = event.user_id
        self.kind = event.kind

    def _preferred(self, event: PreferencesChanged) -> None:
        self.self_trade_prevention = event.self_trade_prevention
        self.suspended = event.suspend_trade

    def _cap_set(self, event: OpenOrderCapSet) -> None:
        self.max_open_orders = event.max_open_orders

    def _cancel_all_accepted(self, event: CancelAllAccepted) -> None:
        # Copied at the speed of C: the account may have 100,000 open orders. The ids of
        # withdrawals are copied too; they name no order.
        covered: Any = [*self.holds, *self.reserves]
        self.cancel_all = CancelAll(event.meta, event.symbols, covered)

    def _cancel_all_completed(self, _: CancelAllCompleted) -> None:
        self.cancel_all = None

    def _deposited(self, event: FundsDeposited) -> None:
        self.ledger += event.amount

    def _granted(self, event: SharesGranted) -> None:
        holding = self.holdings.setdefault(event.symbol, Holding())
        holding.quantity += event.quantity
        holding.cost += event.price * event.quantity

    def _held(self, event: FundsHeld) -> None:
        hold = Hold(event.amount, event.per_share, event.purpose)
        self.holds[event.hold_id] = hold
        self.held += event.amount
        if event.purpose is ORDER:
            self.open_orders += 1

    def _released(self, event: FundsReleased) -> None:
        if self.holds[event.hold_id].purpose is ORDER:
            self.open_orders -= 1
        del self.holds[event.hold_id]
        self.held -= event.amount

    def _reserved(self, event: SharesReserved) -> None:
        self.reserves[event.order_id] = (event.symbol, event.quantity)
        self.open_orders += 1
        self.holdings[event.symbol].reserved += event.quantity

    def _shares_released(self, event: SharesReleased) -> None:
        del self.reserves[event.order_id]
        self.open_orders -= 1
        self.holdings[event.symbol].reserved -= event.quantity

    def _settled(self, event: TradeSettled) -> None:
        self.ledger += cash_moved(event)
        if event.side is BUY:
            self._bought(event)
        else:
            self._sold(event)

    def _bought(self, event: TradeSettled) -> None:
        hold = self.holds[event.order_id]
        hold.amount -= event.held
        self.held -= event.held
        if not hold.amount:
            del self.holds[event.order_id]
            self.open_orders -= 1
        holding = self.holdings.get(event.symbol)
        if holding is None:
            holding = self.holdings[event.symbol] = Holding()
        holding.quantity += event.quantity
        holding.cost += event.cost

    def _sold(self, event: TradeSettled) -> None:
        symbol, reserved = self.reserves[event.order_id]
        if reserved == event.quantity:
            del self.reserves[event.order_id]
            self.open_orders -= 1
        else:
            self.reserves[event.order_id] = (symbol, reserved - event.quantity)
        holding = self.holdings[symbol]
        holding.quantity -= event.quantity
        holding.reserved -= event.quantity
        holding.cost -= event.cost
        if not holding.quantity:
            del self.holdings[symbol]

    def _collected(self, event: FeeCollected) -> None:
        self.ledger += event.amount

    handlers: ClassVar = {
        WalletOpened: _opened,
        PreferencesChanged: _preferred,
        OpenOrderCapSet: _cap_set,
        CancelAllAccepted: _cancel_all_accepted,
        CancelAllCompleted: _cancel_all_completed,
        FundsDeposited: _deposited,
        SharesGranted: _granted,
        FundsHeld: _held,
        FundsReleased: _released,
        SharesReserved: _reserved,
        SharesReleased: _shares_released,
        TradeSettled: _settled,
        FeeCollected: _collected,
    }
    frozen_type: ClassVar = FrozenWallet

    def freeze(self) -> FrozenWallet:
        """Return the state; it shares its dictionaries with the wallet."""
        return FrozenWallet(
            stream=self.stream,
            version=self.version,
            user_id=self.user_id,
            kind=self.kind,
            ledger=self.ledger,
            holds=self.holds,
            holdings=self.holdings,
            reserves=self.reserves,
            self_trade_prevention=self.self_trade_prevention,
            suspended=self.suspended,
            max_open_orders=self.max_open_orders,
            cancel_all=self.cancel_all,
        )

    def thaw(self, frozen: FrozenWallet) -> None:
        """Load a state; sum `held` and count the open orders."""
        self.version = frozen.version
        self.user_id = frozen.user_id
        self.kind = frozen.kind
        self.ledger = frozen.ledger
        self.holds = frozen.holds
        self.held = sum((hold.amount for hold in frozen.holds.values()), NO_MONEY)
        self.holdings = frozen.holdings
        self.reserves = frozen.reserves
        self.self_trade_prevention = frozen.self_trade_prevention
        self.suspended = frozen.suspended
        self.max_open_orders = frozen.max_open_orders
        self.cancel_all = frozen.cancel_all
        buys = sum(hold.purpose is ORDER for hold in frozen.holds.values())
        self.open_orders = buys + len(frozen.reserves)
