"""How the driver of a replay groups a flow into calls, and what it reports."""

from collections.abc import Generator, Sequence

import pytest

from domain.ids import OrderId
from infra.replay.decisions import own_decisions
from infra.replay.driver import Driver
from infra.replay.orderflow import Cancel, ExpectedFill, Ioc, New, Row, Step
from infra.replay.score import QUOTED_MAX
from infra.replay.venue import ORDERS_MAX, LimitOrder, Refused
from infra.replay.writer_venue import WriterVenue
from tests.support.memory import MemoryEventStore


class CountingVenue(WriterVenue):
    """A market of a writer that notes how many orders each call places."""

    sizes: list[int]

    def place(self, orders: Sequence[LimitOrder]) -> Sequence[OrderId | Refused]:
        self.sizes.append(len(orders))
        return super().place(orders)


@pytest.fixture
def venue() -> Generator[CountingVenue]:
    with own_decisions(MemoryEventStore()) as decisions:
        venue = CountingVenue(decisions, "ACME")
        venue.sizes = []
        venue.open(1_000_000)
        yield venue


def numbered(steps: Sequence[Step]) -> list[tuple[int, Step]]:
    return list(enumerate(steps, start=1))


def test_orders_that_follow_each_other_go_out_in_one_call(venue: CountingVenue):
    driver = Driver(venue)
    bids = [New(number, 1, 990_000, 10) for number in (1, 2, 3)]
    sale = Ioc(-1, 990_000, 10, (ExpectedFill(1, 10, 990_000),))
    second_sale = Ioc(-1, 990_000, 5, (ExpectedFill(2, 5, 990_000),))

    driver.send(numbered([*bids, sale, second_sale, New(4, 1, 980_000, 1)]))
    driver.compare()

    assert venue.sizes == [3, 2, 1]
    assert driver.score.mismatches == []
    assert driver.score.fills_exact == 2


@pytest.mark.parametrize("between", [Cancel(1), Row((), ((990_000, 10),), 1)])
def test_what_depends_on_the_orders_before_ends_a_call(
    between: Step, venue: CountingVenue
):
    driver = Driver(venue)

    driver.send(numbered([New(1, 1, 990_000, 10), between, New(2, 1, 980_000, 1)]))

    assert venue.sizes == [1, 1]
    assert driver.score.mismatches == []


def test_a_row_that_is_not_compared_does_not_end_a_call(venue: CountingVenue):
    driver = Driver(venue, rows_every=2)
    row = Row((), ((990_000, 10),), 1)

    driver.send(numbered([New(1, 1, 990_000, 10), row, New(2, 1, 980_000, 1), row]))

    assert venue.sizes == [2]
    assert (driver.score.rows, driver.score.rows_exact) == (1, 1)


def test_a_call_has_a_largest_size(venue: CountingVenue):
    driver = Driver(venue)
    bids = [New(number, 1, 990_000, 10) for number in range(ORDERS_MAX + 1)]

    driver.send(numbered(bids))

    assert venue.sizes == [ORDERS_MAX, 1]


def test_a_report_quotes_the_first_mismatches_of_the_flow(venue: CountingVenue):
    driver = Driver(venue)
    sale = Ioc(-1, 990_000, 10, (ExpectedFill(1, 10, 990_000),))

    driver.send(numbered([sale, *[Cancel(number) for number in range(QUOTED_MAX)]]))
    driver.compare()

    quoted = driver.score.mismatches
    assert quoted[0].startswith("line 1: fills should be")
    assert quoted[-1] == f"line {QUOTED_MAX}: cancel 18: no such order is open"
    assert len(quoted) == QUOTED_MAX
    assert driver.score.refusals == QUOTED_MAX


@pytest.mark.parametrize(("price", "rested"), [(990_000, 0), (1_010_000, 10)])
def test_a_resting_order_that_does_not_rest_is_a_mismatch(
    venue: CountingVenue, price: int, rested: int
):
    driver = Driver(venue)
    bid, ask = New(1, 1, 1_000_000, 10), New(2, -1, price, 10)

    driver.send(numbered([bid, ask]))
    driver.compare()

    assert driver.score.exact is (rested == 10)
    assert driver.score.orders_not_resting == (rested != 10)
    expected = ["line 2: new 2 should rest with 10, but 0 rested"]
    assert driver.score.mismatches == ([] if rested else expected)
