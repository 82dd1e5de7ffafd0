"""The register of aggregates says which class a stream belongs to."""

import pytest

from domain.aggregates import AGGREGATES, empty_aggregate

KINDS = pytest.mark.parametrize("kind", AGGREGATES)


@KINDS
def test_a_stream_is_that_of_the_aggregate_which_the_register_makes(kind: str):
    aggregate = empty_aggregate(f"{kind}-some-name", [])

    assert type(aggregate) is AGGREGATES[kind]
    assert (aggregate.stream, aggregate.version) == (f"{kind}-some-name", 0)


@KINDS
def test_a_frozen_aggregate_says_what_it_is(kind: str):
    frozen_type = AGGREGATES[kind].frozen_type

    assert frozen_type.__struct_config__.tag == kind
    assert frozen_type.__struct_fields__[:2] == ("stream", "version")
