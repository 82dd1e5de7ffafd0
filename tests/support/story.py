"""A small exchange for tests of views, with named accounts."""

from commands.messages import (
    CancelOrder,
    Command,
    Deposit,
    GrantShares,
    HaltMarket,
    ListAsset,
    PlaceOrder,
    Register,
    ReplaceOrder,
    ResumeMarket,
    RollDay,
)
from domain.events.event import Meta
from domain.events.register import Fact
from domain.ids import AccountId, OrderId
from domain.listing import Listing
from domain.market.order import Replacement, Ticket
from domain.money import dollars
from domain.vocabulary import OrderType, SelfTradePrevention, Side, TimeInForce
from tests.support.flow import START, Flow
from tests.support.memory_store import MemoryStore, MemoryViews
from tests.support.views import live_host, segment

SECOND = 1_000_000
ACME = "ACME"


class Story:
    """Sends commands, and lets the views show each at once.

    The first use of a name opens an account with a million dollars and 1,000 shares.
    """

    def __init__(self, *, maker_fee: int = 0, taker_fee: int = 0) -> None:
        self._flow = Flow(accounts=0, symbols=0)
        self._store = MemoryStore()
        self._host = live_host(self._store)
        self.views = MemoryViews(self._store)
        self.now = START
        self._commands = 0
        self.orders = 0
        listing = Listing(
            ACME,
            "asset-acme",
            "Acme Corporation",
            "NYSE",
            tick_size=100,
            lot_size=1,
            reference_price=dollars(100),
            maker_fee=maker_fee,
            taker_fee=taker_fee,
        )
        self.send(ListAsset(self.meta(), listing, "2023-11-14"))

    @property
    def published(self) -> list[tuple[str, str]]:
        return self._store.published

    @property
    def facts(self) -> list[Fact]:
        return self._flow.facts

    def meta(self, actor: str = "tester") -> Meta:
        self._commands += 1
        return Meta(self.now, actor, f"command-{self._commands}")

    def send(self, command: Command) -> list[Fact]:
        facts = self._flow.send(command)
        if facts:
            self._host.apply(segment(facts))
        return facts

    def wait(self, seconds: int = 1) -> None:
        self.now += seconds * SECOND

    def account(self, name: AccountId) -> AccountId:
        if name not in self._flow.exchange.wallets:
            user_id = f"user-of-{name}"
            sealed = f"sealed-{name}"
            self.send(
                Register(
                    self.meta(), user_id, name, f"claim-{name}", sealed, sealed, "hash"
                )
            )
            self.send(Deposit(self.meta(), name, dollars(1_000_000), "opening"))
            self.send(GrantShares(self.meta(), name, ACME, 1_000, dollars(90), "first"))
        return name

    def place(
        self,
        name: AccountId,
        side: Side,
        quantity: int,
        price: str | None,
        *,
        time_in_force: TimeInForce = TimeInForce.DAY,
        prevention: SelfTradePrevention | None = None,
    ) -> OrderId:
        """Place a limit order, or a market order if there is no price."""
        self.orders += 1
        order_id = f"order-{self.orders:03}"
        ticket = Ticket(
            order_id,
            f"client-{self.orders:03}",
            self.account(name),
            ACME,
            side,
            OrderType.MARKET if price is None else OrderType.LIMIT,
            time_in_force,
            quantity,
            None if price is None else dollars(price),
            prevention,
        )
        self.send(PlaceOrder(self.meta(), ticket))
        return order_id

    def buy(self, name: AccountId, quantity: int, price: str | None = None) -> OrderId:
        return self.place(name, Side.BUY, quantity, price)

    def sell(self, name: AccountId, quantity: int, price: str | None = None) -> OrderId:
        return self.place(name, Side.SELL, quantity, price)

    def cancel(self, name: AccountId, order_id: OrderId) -> None:
        self.send(CancelOrder(self.meta(), name, order_id))

    def replace(
        self, name: AccountId, order_id: OrderId, quantity: int, price: str
    ) -> OrderId:
        self.orders += 1
        new_id = f"order-{self.orders:03}"
        replacement = Replacement(
            new_id,
            f"client-{self.orders:03}",
            quantity=quantity,
            limit_price=dollars(price),
        )
        self.send(ReplaceOrder(self.meta(), name, order_id, replacement))
        return new_id

    def roll(self, session_date: str) -> None:
        self.send(RollDay(self.meta(), ACME, session_date))

    def halt(self) -> None:
        self.send(HaltMarket(self.meta(), ACME, "news pending"))

    def resume(self) -> None:
        self.send(ResumeMarket(self.meta(), ACME))
