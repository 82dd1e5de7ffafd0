"""The parts of a market's scenario: actions, outcomes and checks.

Amounts are integers in 1/10,000 of a dollar, rates are basis points. An outcome's text
is the line that a scenario expects.
"""

from dataclasses import dataclass, field
from typing import Protocol, TypeAlias

from tests.support.amounts import written
from tests.support.ladder import Ladder

HOUSE = "house"

# --- actions ---


@dataclass(frozen=True)
class Place:
    """An order to buy or sell. A price of None is a market order."""

    owner: str
    order_id: str
    side: str
    quantity: int
    price: int | None
    time_in_force: str
    prevention: str | None


@dataclass(frozen=True)
class Replace:
    """A change of an order. None leaves a term as it is."""

    owner: str
    order_id: str
    new_id: str
    quantity: int | None
    price: int | None
    time_in_force: str | None


@dataclass(frozen=True)
class Cancel:
    """A cancel of an order. `by` is an owner, another trader or the administrator."""

    by: str
    owner: str
    order_id: str


@dataclass(frozen=True)
class CancelAll:
    owner: str


@dataclass(frozen=True)
class Prefer:
    """A change of the defaults of an account. None leaves one as it is."""

    owner: str
    prevention: str | None = None
    suspended: bool | None = None


@dataclass(frozen=True)
class Terms:
    """A change of the listing. A band of 0 removes the band."""

    changes: dict[str, int]


@dataclass(frozen=True)
class Halt:
    pass


@dataclass(frozen=True)
class Resume:
    pass


@dataclass(frozen=True)
class Roll:
    session: str


Action: TypeAlias = (
    Place | Replace | Cancel | CancelAll | Prefer | Terms | Halt | Resume | Roll
)

# --- outcomes ---


@dataclass(frozen=True)
class Trade:
    """The incoming order met one resting order."""

    number: int
    quantity: int
    price: int
    maker: str
    maker_fee: int
    taker_fee: int

    def __str__(self) -> str:
        line = f"trades {self.quantity} at {written(self.price)}"
        if self.maker != "maker":
            line += f" with {self.maker}"
        if self.maker_fee or self.taker_fee:
            maker, taker = written(self.maker_fee), written(self.taker_fee)
            line += f", maker fee {maker}, taker fee {taker}"
        return line


@dataclass(frozen=True)
class Ended:
    """An order ended unfilled. Its price is None if it never rested."""

    owner: str
    quantity: int
    price: int | None
    reason: str

    def __str__(self) -> str:
        if self.price is None:
            return f"canceled {self.quantity}: {self.reason}"
        whose = f"{self.owner}'s {self.quantity} at {written(self.price)}"
        if self.reason == "expired":
            return f"{whose} expired"
        return f"{whose} canceled: {self.reason}"


@dataclass(frozen=True)
class TurnedAway:
    """The market rejected the order, or the exchange refused the command."""

    how: str
    code: str
    limit: int | None

    def __str__(self) -> str:
        line = f"{self.how}: {self.code}"
        return line if self.limit is None else f"{line}, limit {written(self.limit)}"


@dataclass(frozen=True)
class Session:
    """A new day began."""

    date: str
    previous_close: int | None

    def __str__(self) -> str:
        close = self.previous_close
        text = "none" if close is None else written(close)
        return f"session {self.date}, previous close {text}"


Outcome: TypeAlias = Trade | Ended | TurnedAway | Session


@dataclass(frozen=True)
class Balances:
    """The cash and shares of an account. `cost` is the cost basis of all shares."""

    cash: int
    shares: int
    cost: int
    held: int = 0
    reserved: int = 0

    def column(self, name: str) -> str:
        """Return one column of a table of accounts."""
        match name:
            case "cash":
                return written(self.cash)
            case "held":
                return written(self.held)
            case "available":
                return written(self.cash - self.held)
            case "cost":
                return written(self.cost)
            case "shares":
                return str(self.shares)
            case "reserved":
                return str(self.reserved)
            case _:
                raise ValueError(f"no column of accounts: {name}")


class TradedMarket(Protocol):
    """One instrument at 10.00 with a tick of a cent, and the accounts that trade it."""

    def open(self, name: str, balances: Balances) -> None:
        """Open an account with cash and shares."""
        ...

    def carry_out(self, action: Action) -> list[Outcome]:
        """Carry out an action and return its outcomes, in order."""
        ...

    def ladder(self) -> Ladder: ...

    def balances(self, name: str) -> Balances: ...

    def status(self, owner: str, order_id: str) -> str: ...

    def restart(self) -> None:
        """Save the whole state, restore it, and continue with the restored state."""
        ...


# --- the text ---


@dataclass(frozen=True)
class Given:
    """An initial state: `book` or `accounts`."""

    what: str


@dataclass(frozen=True)
class Check:
    """An expected state: `book`, `accounts` or `tape`."""

    what: str


@dataclass(frozen=True)
class Status:
    """The expected state of an order."""

    owner: str
    order_id: str
    status: str


@dataclass(frozen=True)
class Snapshot:
    """A stop and a restart from a snapshot."""


@dataclass(frozen=True)
class Step:
    """One line of a scenario, and the indented lines below it."""

    number: int
    text: str
    act: Action | Given | Check | Status | Snapshot
    below: list[str]


@dataclass(frozen=True)
class Scenario:
    """One story in a file."""

    file: str
    title: str
    steps: list[Step] = field(default_factory=list[Step])
