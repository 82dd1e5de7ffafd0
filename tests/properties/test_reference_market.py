"""The exchange does what the reference market does, operation for operation."""

import pytest
from hypothesis import given, settings

from tests.support.both import Both
from tests.support.operations import OPERATIONS, Operation, from_seed


@pytest.mark.rule("MATCH-12")
@pytest.mark.parametrize("seed", range(6))
def test_a_long_flow_goes_as_in_the_reference_market(seed: int):
    both = Both()

    for operation in from_seed(seed, 1_000):
        both.tell(operation)

    both.compare_orders()


@settings(max_examples=120)
@given(OPERATIONS)
def test_any_flow_goes_as_in_the_reference_market(operations: list[Operation]):
    both = Both()

    for operation in operations:
        both.tell(operation)

    both.compare_orders()
