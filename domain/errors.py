"""Refusals: why a command was turned away, with nothing recorded.

    DomainError
    ├── InvalidOrder            what was asked for makes no sense (bad input); those
    │   │                       below make sense, and the market's terms refuse them
    │   ├── OffTick, OffLot, AmountTooLarge, UnknownSymbol, NothingToReplace
    │   ├── MarketHalted, PriceOutsideBand   for a replacement; a new order is rejected
    │   └── InvalidListing
    ├── NotFound                nothing of that name is there, or it is not yours
    ├── OrderDone               the order is already in a final state
    ├── InsufficientFunds       the available balance does not cover the hold
    ├── InsufficientShares      the available shares do not cover the reserve
    ├── TradingSuspended        the account asked for no new orders
    ├── DuplicateOrder          the client order id was used for another order
    ├── Conflict                the idempotency key was used for other content
    ├── AlreadyExists           a symbol or an e-mail address is taken
    ├── BadCredentials          unknown address or wrong password
    └── Unavailable             nothing is wrong with the command: send it again
        ├── Busy, NotLeading, CommitFailed

`code` is a word that never changes; the facts are the fields; the sentence is made of
them. The HTTP status is chosen in `api/http/error_responses.py` and nowhere else.
"""

from typing import ClassVar

from domain.money import Money, Price, Quantity, text


class DomainError(Exception):
    """A command was refused. `facts` are plain values, safe to show to the caller."""

    code: ClassVar[str] = "refused"

    def __init__(self, sentence: str, **facts: str | int | None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.facts = facts


class InvalidOrder(DomainError):
    """The parameters of a command are not ones that can be carried out."""

    code = "invalid-parameter"


class OffTick(InvalidOrder):
    """A price is no multiple of the tick size (rule ORDER-03)."""

    code = "off-tick"

    def __init__(self, *, price: Price, tick_size: Price) -> None:
        super().__init__(
            f"the price {text(price)} is not a multiple of the tick size "
            f"{text(tick_size)}",
            tick_size=text(tick_size),
        )


class OffLot(InvalidOrder):
    """A quantity is no multiple of the lot size (rule ORDER-04)."""

    code = "off-lot"

    def __init__(self, *, quantity: Quantity, lot_size: Quantity) -> None:
        super().__init__(
            f"the quantity {quantity} is not a multiple of the lot size {lot_size}",
            lot_size=str(lot_size),
        )


class AmountTooLarge(InvalidOrder):
    """A price, a quantity or their product is beyond what the venue carries."""

    code = "amount-too-large"


class UnknownSymbol(InvalidOrder):
    """No instrument of that symbol is listed."""

    code = "unknown-symbol"

    def __init__(self, *, symbol: str) -> None:
        super().__init__(f'asset "{symbol}" not found', symbol=symbol)


class NothingToReplace(InvalidOrder):
    """A replacement asks for no more than is already filled (rule ORDER-07)."""

    code = "nothing-to-replace"


class MarketHalted(InvalidOrder):
    """Trading is stopped; resting orders may only be canceled (rule HALT-02)."""

    code = "market-halted"

    def __init__(self, *, symbol: str) -> None:
        super().__init__(f"trading in {symbol} is halted", symbol=symbol)


class PriceOutsideBand(InvalidOrder):
    """The price is outside the band in which the instrument trades (rule BAND-02)."""

    code = "price-outside-band"

    def __init__(self, *, bound: Price) -> None:
        super().__init__(
            f"the price is outside the price band, whose limit is {text(bound)}",
            bound=text(bound),
        )


class InvalidListing(InvalidOrder):
    """The terms of a listing contradict each other, or the orders that rest on it."""

    code = "invalid-listing"


class NotFound(DomainError):
    """Nothing of that id is there for this caller."""

    code = "not-found"

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"{kind} not found for {name}")


class OrderDone(DomainError):
    """The order is in a final state and can no longer be changed."""

    code = "order-done"

    def __init__(self, *, status: str) -> None:
        super().__init__(f'order is already in "{status}" state', status=status)


class InsufficientFunds(DomainError):
    """The wallet's available balance does not cover the hold."""

    code = "insufficient-funds"

    def __init__(self, *, available: Money, required: Money) -> None:
        super().__init__(
            f"insufficient buying power (available: {text(available)}, "
            f"required: {text(required)})",
            buying_power=text(available),
            cost_basis=text(required),
        )


class InsufficientShares(DomainError):
    """The account's available shares do not cover the reserve."""

    code = "insufficient-shares"

    def __init__(
        self, *, symbol: str, requested: Quantity, held: Quantity, reserved: Quantity
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
    """The account's owner asked that no new orders be taken."""

    code = "trading-suspended"

    def __init__(self) -> None:
        super().__init__("new orders are rejected by user request")


class DuplicateOrder(DomainError):
    """The client order id already names an order with other terms."""

    code = "duplicate-client-order-id"

    def __init__(self, *, client_order_id: str) -> None:
        super().__init__(
            "client_order_id must be unique", client_order_id=client_order_id
        )


class Conflict(DomainError):
    """The idempotency key or reference was used before, with other content."""

    code = "idempotency-conflict"

    def __init__(self, *, key: str) -> None:
        super().__init__(
            f"{key} was already used for a command with other content", key=key
        )


class AlreadyExists(DomainError):
    """A name that can be taken once is taken."""

    code = "already-exists"


class BadCredentials(DomainError):
    """The e-mail address is unknown or the password is wrong; which is not told."""

    code = "bad-credentials"

    def __init__(self) -> None:
        super().__init__("the e-mail address or the password is not right")


class Unavailable(DomainError):
    """Nothing is wrong with the command; the same command may be sent again."""

    code = "unavailable"


class Busy(Unavailable):
    """Too many commands wait to be committed."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("too many commands are waiting; send it again in a moment")


class NotLeading(Unavailable):
    """This server holds no lease on the log: it answers queries only."""

    code = "not-leading"

    def __init__(self, *, standby: bool) -> None:
        super().__init__(
            "this server is a standby and takes no commands: ask the one that leads"
            if standby
            else "this server takes no commands just now; send it again in a moment"
        )


class CommitFailed(Unavailable):
    """The log could not be written. All of the command was recorded, or nothing."""

    code = "commit-failed"

    def __init__(self) -> None:
        super().__init__(
            "the log could not be written, and whether it has the command is not known "
            "yet; send it again under the same id: it is recorded once at most"
        )
