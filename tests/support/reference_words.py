"""An order on paper, an account, and the answers of the reference market."""

from dataclasses import dataclass
from typing import TypeAlias


@dataclass
class Slip:
    """An order on paper."""

    order_id: str
    owner: str
    side: str
    quantity: int
    price: int | None
    tif: str
    stp: str
    entered: int = 0
    leaves: int = 0
    #: Other orders can meet it only if it rests; an incoming order is open as well.
    rests: bool = False
    status: str = "new"
    maker_fee: int = 0
    backing: int = 0

    @property
    def filled(self) -> int:
        return self.quantity - self.leaves


@dataclass
class Account:
    """The cash and shares of a trader. Holds follow from the slips."""

    cash: int
    shares: int
    cost: int
    stp: str = "cancel_newest"
    suspended: bool = False


@dataclass(frozen=True)
class Fill:
    number: int
    maker: str
    taker: str
    price: int
    quantity: int
    maker_fee: int
    taker_fee: int


@dataclass(frozen=True)
class Ended:
    """An order ended with a quantity left. Its price is None if it never rested."""

    order_id: str
    quantity: int
    price: int | None
    reason: str


@dataclass(frozen=True)
class Rejected:
    """The market rejected an order. `bound` is the limit of the band that it broke."""

    order_id: str
    reason: str
    bound: int | None


@dataclass(frozen=True)
class Rolled:
    """A new day began."""

    date: str
    close: int | None


Happened: TypeAlias = Fill | Ended | Rejected | Rolled


class Refused(Exception):
    """A refusal and its code."""

    def __init__(self, code: str, bound: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.bound = bound
