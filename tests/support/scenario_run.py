"""Plays a scenario on a market and compares the results with its lines."""

from tests.support import amounts, ladder
from tests.support.scenario import (
    HOUSE,
    Action,
    Balances,
    CancelAll,
    Check,
    Given,
    Outcome,
    Place,
    Prefer,
    Scenario,
    Snapshot,
    Status,
    Step,
    Trade,
    TradedMarket,
)

#: The cash and shares of a trader whom no table of accounts names.
PLENTY = Balances(cash=10**11, shares=10**6, cost=10**11)


#: Actions that open an account for an unknown owner.
ACCOUNTS = Place | Prefer | CancelAll


class Differs(AssertionError):
    """A market did not do what a line says. The message draws the book."""


def play(scenario: Scenario, market: TradedMarket, *, restarts: bool = False) -> None:
    """Play all steps; with `restarts`, from a new snapshot before each of them.

    Raises:
        Differs: says which line, what was expected, and what happened.
    """
    run = _Run(scenario, market)
    for step in scenario.steps:
        if restarts:
            market.restart()
        run.play(step)


class _Run:
    """One market, and what has happened on it so far."""

    def __init__(self, scenario: Scenario, market: TradedMarket) -> None:
        self._scenario = scenario
        self._market = market
        self._known = {HOUSE}
        self._tape: list[str] = []
        self._drawn_orders = 0

    def play(self, step: Step) -> None:
        match step.act:
            case Given("book"):
                self._draw(step)
            case Given():
                self._open_accounts(step)
            case Check("book"):
                expected = ladder.draw(ladder.read(step.below))
                self._compare(step, expected, self._drawn())
            case Check("tape"):
                self._compare(step, step.below, self._tape)
            case Check():
                self._compare_accounts(step)
            case Status(owner, order_id, status):
                word = self._market.status(owner, order_id)
                self._compare(step, [status], [word.replace("_", " ")])
            case Snapshot():
                self._market.restart()
            case action:
                outcomes = self._carry_out(action)
                self._compare(step, step.below, [str(each) for each in outcomes])

    def _carry_out(self, action: Action) -> list[Outcome]:
        if isinstance(action, ACCOUNTS) and action.owner not in self._known:
            self._open(action.owner, PLENTY)
        outcomes = self._market.carry_out(action)
        for each in outcomes:
            if isinstance(each, Trade):
                price = amounts.written(each.price)
                self._tape.append(f"{each.number} {each.quantity} at {price}")
        return outcomes

    def _open(self, name: str, balances: Balances) -> None:
        self._known.add(name)
        self._market.open(name, balances)

    # --- initial states ---

    def _draw(self, step: Step) -> None:
        """Let the orders of a drawing rest, bids first, from the best price outward."""
        drawn = ladder.read(step.below)
        for side, levels in (("buy", drawn.bids), ("sell", drawn.asks)):
            for level in levels:
                for order in level.queue:
                    self._rest(order, side, level.price)
        self._compare(step, ladder.draw(drawn), self._drawn())

    def _rest(self, order: ladder.Resting, side: str, price: int) -> None:
        self._drawn_orders += 1
        order_id = f"{order.owner} drawn {self._drawn_orders}"
        self._carry_out(
            Place(order.owner, order_id, side, order.quantity, price, "gtc", None)
        )

    def _open_accounts(self, step: Step) -> None:
        columns, *rows = [line.split() for line in step.below]
        for name, *words in rows:
            row = dict(zip(columns, words, strict=True))
            shares = int(row.get("shares", "0"))
            cost = amounts.read(row.get("cost", str(10 * shares)))
            cash = amounts.read(row.get("cash", "0"))
            self._open(name, Balances(cash, shares, cost))

    # --- expected states ---

    def _drawn(self) -> list[str]:
        return ladder.draw(self._market.ladder())

    def _compare_accounts(self, step: Step) -> None:
        columns, *rows = [line.split() for line in step.below]
        expected = [[name, *words] for name, *words in rows]
        happened = [
            [name, *(self._market.balances(name).column(each) for each in columns)]
            for name, *_ in rows
        ]
        self._compare(step, *(table(columns, rows) for rows in (expected, happened)))

    def _compare(self, step: Step, expected: list[str], happened: list[str]) -> None:
        if expected == happened:
            return
        title = f"{self._scenario.file}:{step.number}: {step.text}"
        sections = (
            (title + "\n  expected", expected),
            ("  but happened", happened),
            ("  The book is now", self._drawn()),
        )
        raise Differs(
            "\n".join("\n    ".join([head, *lines]) for head, lines in sections)
        )


def table(columns: list[str], rows: list[list[str]]) -> list[str]:
    """Return rows of words as lines in columns."""
    lines = [["", *columns], *rows]
    return [
        f"{name:<8}" + "".join(f"{word:>16}" for word in words)
        for name, *words in lines
    ]
