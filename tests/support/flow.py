"""A random day on a small exchange, from a seed: real facts by the real write side."""

import random

from benchmarks.opening import Grant
from commands.messages import GrantRole
from domain.events.register import Fact
from domain.money import dollars
from domain.vocabulary import Role
from tests.support.both import Player
from tests.support.operations import endless
from tests.support.scenario_product import Product
from tests.support.venue import Venue

MANY = 100_000


class Flow(Venue):
    """Several markets under random operations.

    The first market has no fees, the second one has a band. The first trader is an
    administrator.
    """

    STEP = 20_000

    def __init__(self, seed: int = 7, *, accounts: int = 8, symbols: int = 3) -> None:
        super().__init__()
        self.checks_refusals = False
        self.symbols = ["ACME", *(f"SYM{number}" for number in range(1, symbols))]
        for symbol in self.symbols[1:]:
            band = 400 if symbol == "SYM1" else None
            self.list_asset(symbol, maker_fee=1, taker_fee=3, price_band=band)
        self.accounts = [f"trader{number}" for number in range(accounts)]
        shares = [Grant(symbol, MANY, dollars(9), symbol) for symbol in self.symbols]
        for name in self.accounts:
            self.open(name, dollars(10_000_000), shares)
        self.tell(GrantRole(self.meta(), f"user-of-{self.accounts[0]}", Role.ADMIN))
        self._random = random.Random(seed)
        self._operations = endless(seed, traders=self.accounts)
        self._players = [
            Player(Product(self, symbol), f"{symbol}-") for symbol in self.symbols
        ]

    def go_on(self) -> list[Fact]:
        """Carry out one more operation and return its facts; none if it is refused."""
        return self._random.choice(self._players).tell(next(self._operations))

    def run(self, operations: int) -> list[Fact]:
        """Carry out more operations and return the whole log so far."""
        for _ in range(operations):
            self.go_on()
        return self.facts
