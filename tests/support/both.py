"""A real exchange and the reference market, told the same and compared."""

from commands.dispatch import execute
from commands.exchange import Exchange
from commands.messages import Deposit, GrantShares, ListAsset, Register
from commands.order_index import OrderEntry
from domain.errors import DomainError
from domain.events.market import OrderRejected, TradeExecuted
from domain.events.register import AnyEvent, Fact, Recorded
from domain.ids import HOUSE_ACCOUNT
from domain.price_levels import BookSide
from domain.vocabulary import OrderStatus
from tests.support import ladder
from tests.support.operations import TICK, TRADERS, Commands, Operation
from tests.support.reference_market import (
    Account,
    Fill,
    ReferenceMarket,
    Refused,
    Slip,
)
from tests.support.venue import listing

CASH = 6_000_000
SHARES = 60


class Real:
    """An exchange on which ACME is listed and everybody has a little."""

    def __init__(self) -> None:
        self.exchange = Exchange()
        self.log: list[Recorded] = []
        self.commands = Commands()
        meta = self.commands.meta
        self.log += execute(self.exchange, ListAsset(meta(), listing(), "2026-000001"))
        for name in TRADERS:
            for command in (
                Register(meta(), f"user-{name}", name, f"claim-{name}", "e", "n", "h"),
                Deposit(meta(), name, CASH, "opening"),
                GrantShares(meta(), name, "ACME", SHARES, 99_999, "opening"),
            ):
                self.log += execute(self.exchange, command)

    def tell(self, operation: Operation) -> tuple[str, list[Recorded]]:
        """How it went, in a word, and what was recorded."""
        orders = self.commands.orders
        known = len(orders.ids)
        command = self.commands.command(operation)
        try:
            recorded = execute(self.exchange, command)
        except DomainError as refusal:
            assert self.exchange.outbox == [], "what is refused records nothing"
            # An order that was refused is none that later operations could be about.
            del orders.ids[known:]
            return refusal.code, []
        self.log += recorded
        rejected = any(isinstance(each.event, OrderRejected) for each in recorded)
        return "rejected" if rejected else "done", recorded

    @property
    def facts(self) -> list[Fact]:
        return facts_of(self.log)


def facts_of(log: list[Recorded]) -> list[Fact]:
    """What was recorded, as it would stand in the log."""
    return [
        Fact(position, each.stream, each.version, each.event)
        for position, each in enumerate(log, start=1)
    ]


class Both:
    """Compares after each operation whatever can be seen from outside."""

    def __init__(self) -> None:
        self.real = Real()
        self.reference = ReferenceMarket(tick=TICK, lot=1, reference=100_000)
        for name in TRADERS:
            self.reference.accounts[name] = Account(CASH, SHARES, SHARES * 99_999)

    def tell(self, operation: Operation) -> None:
        commands = self.real.commands
        target, new_id = commands.orders.target(operation), len(commands.orders.ids)
        told = self._tell_reference(operation, target, new_id)
        fills, self.reference.fills = self.reference.fills, []

        answer, recorded = self.real.tell(operation)

        assert answer == told, operation
        assert fills_of([each.event for each in recorded]) == fills, operation
        self.compare()

    def _tell_reference(
        self, operation: Operation, target: tuple[str, str], number: int
    ) -> str:
        try:
            return self._ask(operation, target, number)
        except Refused as refusal:
            return str(refusal)

    def _ask(self, asked: Operation, target: tuple[str, str], number: int) -> str:
        market = self.reference
        match asked.kind:
            case "limit" | "market":
                return self._place(asked, f"{asked.trader}-{number}")
            case "cancel":
                market.cancel(*target)
            case "cancel all":
                market.cancel_all(asked.trader)
            case "replace":
                market.replace(
                    *target,
                    f"{target[0]}-{number}",
                    quantity=asked.quantity,
                    price=asked.new_price,
                )
            case "prefer":
                account = market.accounts[asked.trader]
                account.stp = asked.stp or account.stp
                account.suspended = asked.suspended
            case _:
                self._tell_market(asked)
        return "done"

    def _place(self, asked: Operation, order_id: str) -> str:
        slip = Slip(
            order_id,
            asked.trader,
            asked.side,
            asked.quantity,
            asked.price if asked.kind == "limit" else None,
            asked.tif,
            asked.stp or self.reference.accounts[asked.trader].stp,
        )
        self.reference.place(slip)
        return "rejected" if slip.status == "rejected" else "done"

    def _tell_market(self, asked: Operation) -> None:
        market = self.reference
        match asked.kind:
            case "halt":
                market.halted = True
            case "resume":
                market.halted = False
            case "roll":
                market.expire_day_orders()
            case _:
                if asked.band >= 10_000:
                    raise Refused("invalid-listing")
                market.band = asked.band or None
                market.maker_fee, market.taker_fee = asked.fees

    # --- comparing ---

    def compare(self) -> None:
        book = self.real.exchange.market("ACME").book
        drawn = ladder.draw(ladder.of_book(book))
        assert levels_of(book.bids) == self.reference.levels("buy"), drawn
        assert levels_of(book.asks) == self.reference.levels("sell"), drawn
        for name in TRADERS:
            assert self._real_balances(name) == self._balances(name), name
        house = self.real.exchange.wallets.get(HOUSE_ACCOUNT)
        assert (house.ledger if house else 0) == self.reference.house

    def _real_balances(self, name: str) -> dict[str, int]:
        wallet = self.real.exchange.wallet(name)
        holding = wallet.holdings.get("ACME")
        return {
            "ledger": wallet.ledger,
            "held": wallet.held,
            "shares": holding.quantity if holding else 0,
            "reserved": holding.reserved if holding else 0,
            "cost": holding.cost if holding else 0,
        }

    def _balances(self, name: str) -> dict[str, int]:
        account = self.reference.accounts[name]
        return {
            "ledger": account.cash,
            "held": self.reference.held(name),
            "shares": account.shares,
            "reserved": self.reference.reserved(name),
            "cost": account.cost,
        }

    def compare_orders(self) -> None:
        """Every order there ever was is in the same state."""
        for slip in self.reference.slips:
            orders = self.real.exchange.orders.accounts[slip.owner]
            assert self._status(slip.order_id, orders) == slip.status, slip

    def _status(self, order_id: str, orders: dict[str, OrderEntry]) -> str:
        status = orders[order_id].status
        if status is not OrderStatus.NEW:
            return status
        order = self.real.exchange.market("ACME").book.orders[order_id]
        return "partially_filled" if order.filled else "new"


def fills_of(events: list[AnyEvent]) -> list[Fill]:
    return [
        Fill(
            each.maker_order_id,
            each.taker_order_id,
            each.price,
            each.quantity,
            each.maker_fee,
            each.taker_fee,
        )
        for each in events
        if isinstance(each, TradeExecuted)
    ]


def levels_of(side: BookSide) -> list[tuple[int, int, int]]:
    return [(each.price, each.quantity, each.count) for each in side]
