"""Refusals: the reasons to refuse a command. A refused command records no fact.

    DomainError
    ├── InvalidOrder            the input makes no sense; the kinds below make sense,
    │   │                       and the market's terms refuse them
    │   ├── OffTick, OffLot, AmountTooLarge, UnknownSymbol, NothingToReplace
    │   ├── MarketHalted, PriceOutsideBand   for a replacement; a new order is rejected
    │   └── InvalidListing
    ├── ConditionFailed         an operation that an operator may force
    │   └── OrdersOutsideBand
    ├── NotFound                the name does not exist, or belongs to another user
    ├── OrderDone               the order is already in a final state
    ├── InsufficientFunds       the available balance does not cover the hold
    ├── InsufficientShares      the available shares do not cover the reserve
    ├── TradingSuspended        the owner suspended new orders of the account
    ├── TooManyOpenOrders       the account has as many open orders as it may have
    ├── DuplicateOrder          the client order id names another order
    ├── Conflict                the idempotency key was used for other content
    ├── AlreadyExists           a symbol or an e-mail address is taken
    ├── UnknownClockStep        the clock shows another step than the confirmed one
    ├── BadCredentials          unknown address or wrong password
    └── Unavailable             the command is valid: send it again
        ├── Busy, NotLeading, CommitFailed
        ├── CancelAllInProgress, MarketRolling

`code` never changes. `facts` are the fields of the answer, and the sentence shows them.
Only `api/http/error_responses.py` maps a refusal to an HTTP status.
"""

from typing import ClassVar

from domain.ids import ClientOrderId, Symbol
from domain.money import Money, Price, Quantity, text


class DomainError(Exception):
    """The refusal of a command. `facts` are plain values that the client may see."""

    code: ClassVar[str] = "refused"

    def __init__(self, sentence: str, **facts: str | int | None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.facts = facts


class InvalidOrder(DomainError):
    """Parameters that the venue cannot carry out."""

    code = "invalid-parameter"


class OffTick(InvalidOrder):
    """A price that is not a multiple of the tick size (rule ORDER-03)."""

    code = "off-tick"

    def __init__(self, *, price: Price, tick_size: Price) -> None:
        super().__init__(
            f"the price {text(price)} is not a multiple of the tick size "
            f"{text(tick_size)}",
            tick_size=text(tick_size),
        )


class OffLot(InvalidOrder):
    """A quantity that is not a multiple of the lot size (rule ORDER-04)."""

    code = "off-lot"

    def __init__(self, *, quantity: Quantity, lot_size: Quantity) -> None:
        super().__init__(
            f"the quantity {quantity} is not a multiple of the lot size {lot_size}",
            lot_size=str(lot_size),
        )


class AmountTooLarge(InvalidOrder):
    """A price, a quantity or their product above the venue's maximum."""

    code = "amount-too-large"


class UnknownSymbol(InvalidOrder):
    """A symbol that no listed instrument has."""

    code = "unknown-symbol"

    def __init__(self, *, symbol: Symbol) -> None:
        super().__init__(f'asset "{symbol}" not found', symbol=symbol)


class NothingToReplace(InvalidOrder):
    """A replacement whose quantity is already filled (rule ORDER-07)."""

    code = "nothing-to-replace"


class MarketHalted(InvalidOrder):
    """A halted market: clients can only cancel resting orders (rule HALT-02)."""

    code = "market-halted"

    def __init__(self, *, symbol: Symbol) -> None:
        super().__init__(f"trading in {symbol} is halted", symbol=symbol)


class PriceOutsideBand(InvalidOrder):
    """A price outside the instrument's price band (rule BAND-02)."""

    code = "price-outside-band"

    def __init__(
        self, *, price: Price, bound: Price, band: tuple[Price, Price]
    ) -> None:
        low, high = map(text, band)
        super().__init__(
            f"the price {text(price)} is outside the price band from {low} to {high}",
            bound=text(bound),
        )


class InvalidListing(InvalidOrder):
    """Listing terms that contradict each other or the resting orders."""

    code = "invalid-listing"


class ConditionFailed(DomainError):
    """A failed condition of an operation, which may be forced (rule FORCE-01)."""

    code = "condition-failed"


class OrdersOutsideBand(ConditionFailed):
    """A change of a listing that leaves resting orders outside the new price band."""

    code = "orders-outside-band"

    def __init__(self, *, symbol: Symbol, orders: int) -> None:
        super().__init__(
            f"{orders} resting orders of {symbol} are outside the new price band and "
            "could still trade there; halt the market and cancel them first, or send "
            "the change again with force",
            symbol=symbol,
            orders=orders,
        )


class NotFound(DomainError):
    """An id that does not exist for this client."""

    code = "not-found"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} not found for {name}")


class OrderDone(DomainError):
    """An order in a final state, which cannot change."""

    code = "order-done"

    def __init__(self, *, status: str) -> None:
        super().__init__(f'order is already in "{status}" state', status=status)


class InsufficientFunds(DomainError):
    """An available balance that does not cover the hold."""

    code = "insufficient-funds"

    def __init__(self, *, available: Money, required: Money) -> None:
        super().__init__(
            f"insufficient buying power (available: {text(available)}, "
            f"required: {text(required)})",
            buying_power=text(available),
            cost_basis=text(required),
        )


class InsufficientShares(DomainError):
    """Available shares that do not cover the reserve."""

    code = "insufficient-shares"

    def __init__(
        self, *, symbol: Symbol, requested: Quantity, held: Quantity, reserved: Quantity
    ) -> None:
        super().__init__(
            f"insufficient qty available for order (requested: {requested}, "
            f"available: {held - reserved})",
            symbol=symbol,
            available=str(held - reserved),
            existing_qty=str(held),
            held_for_orders=str(reserved),
        )


class TradingSuspended(DomainError):
    """An account whose owner suspended new orders."""

    code = "trading-suspended"

    def __init__(self) -> None:
        super().__init__("new orders are rejected by user request")


class TooManyOpenOrders(DomainError):
    """An account with as many open orders as it may have (rule ORDER-15)."""

    code = "too-many-open-orders"

    def __init__(self, *, most: int) -> None:
        super().__init__(
            f"the account has {most} open orders or more, which is the most it may "
            "have: cancel some first, or ask the venue for a higher cap",
            max_open_orders=most,
        )


class DuplicateOrder(DomainError):
    """A client order id that already names an order with other terms."""

    code = "duplicate-client-order-id"

    def __init__(self, *, client_order_id: ClientOrderId) -> None:
        super().__init__(
            "client_order_id must be unique", client_order_id=client_order_id
        )


class Conflict(DomainError):
    """An idempotency key or reference that was used before with other content."""

    code = "idempotency-conflict"

    def __init__(self, *, key: str) -> None:
        super().__init__(
            f"{key} was already used for a command with other content", key=key
        )


class AlreadyExists(DomainError):
    """A unique name, such as a symbol or an e-mail address, that is in use."""

    code = "already-exists"


class UnknownClockStep(DomainError):
    """A confirmation of a step that the clock does not show (rule DAY-04)."""

    code = "unknown-clock-step"

    def __init__(self, *, shown: int, ahead_seconds: int | None) -> None:
        if ahead_seconds is None:
            now = "the clock agrees with the venue's time"
        else:
            now = f"the clock shows {ahead_seconds} s"
        super().__init__(
            f"there is no step of {shown} s to confirm; {now}",
            ahead_seconds=ahead_seconds,
        )


class BadCredentials(DomainError):
    """An unknown e-mail address or a wrong password; the answer does not say which."""

    code = "bad-credentials"

    def __init__(self) -> None:
        super().__init__("the e-mail address or the password is not right")


class Unavailable(DomainError):
    """A temporary failure: the client may send the same command again."""

    code = "unavailable"


class Busy(Unavailable):
    """A full queue: too many commands wait for their commit."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("too many commands are waiting; send it again in a moment")


class CancelAllInProgress(Unavailable):
    """A cancel-all of the account in progress: no replacement (rule ORDER-16)."""

    code = "cancel-all-in-progress"

    def __init__(self) -> None:
        super().__init__(
            "the account's orders are being canceled; send it again in a moment"
        )


class MarketRolling(Unavailable):
    """A market between two sessions: it takes no orders (rule DAY-06)."""

    code = "market-rolling"

    def __init__(self, *, symbol: Symbol) -> None:
        super().__init__(
            f"{symbol} is between two trading days and takes no orders; send it again "
            "in a moment",
            symbol=symbol,
        )


class NotLeading(Unavailable):
    """A server without the lease on the log: it answers queries only."""

    code = "not-leading"

    def __init__(self, *, standby: bool) -> None:
        super().__init__(
            "this server is a standby and takes no commands: ask the one that leads"
            if standby
            else "this server takes no commands just now; send it again in a moment"
        )


class CommitFailed(Unavailable):
    """A failed write to the log. The log has all of the command or none of it."""

    code = "commit-failed"

    def __init__(self) -> None:
        super().__init__(
            "the log could not be written, and whether it has the command is not known "
            "yet; send it again under the same id: it is recorded once at most"
        )
