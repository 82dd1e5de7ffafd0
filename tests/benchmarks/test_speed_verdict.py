"""The rule of `make bench-against`: when a commit is slower than another."""

import pytest

from benchmarks.against.verdict import Figure, table

OLD = [100.0, 98.0, 103.0, 99.0, 101.0]


def figure(new: list[float], old: list[float] = OLD) -> Figure:
    return Figure("core", "command", "us", old, new)


def test_a_median_more_than_5_percent_higher_without_overlap_is_worse():
    compared = figure([106.0, 104.0, 107.0, 105.5, 108.0])

    assert compared.verdict == "worse"


def test_a_higher_median_is_not_worse_if_the_ranges_overlap():
    compared = figure([120.0, 102.9, 120.0, 120.0, 120.0])

    assert compared.verdict == "not worse"


def test_ranges_that_only_touch_overlap():
    compared = figure([120.0, 103.0, 120.0, 120.0, 120.0])

    assert compared.verdict == "not worse"


def test_a_range_above_the_old_one_is_not_worse_up_to_5_percent():
    compared = figure([104.0, 105.0, 105.0, 105.0, 106.0])

    assert compared.ratio == 1.05
    assert compared.verdict == "not worse"


def test_a_lower_median_is_not_worse():
    assert figure([50.0] * 5).verdict == "not worse"


@pytest.mark.parametrize(("old", "new"), [(5, 4), (4, 5)])
def test_fewer_than_five_rounds_of_either_commit_decide_nothing(old: int, new: int):
    compared = figure([200.0] * new, [100.0] * old)

    assert compared.verdict == "too few rounds"
    assert not compared.worse


def test_a_cost_that_was_zero_is_worse_if_it_is_not_zero():
    compared = figure([1.0] * 5, [0.0] * 5)

    assert compared.verdict == "worse"


def test_a_cost_of_zero_in_both_commits_is_not_worse():
    assert figure([0.0] * 5, [0.0] * 5).verdict == "not worse"


def test_the_table_shows_median_range_ratio_and_verdict():
    lines = table([figure([110.0, 108.0, 113.0, 109.0, 111.0])]).splitlines()

    assert [cell.strip() for cell in lines[2].strip("|").split("|")] == [
        "core",
        "command",
        "100.00 [98.00..103.00] us",
        "110.00 [108.00..113.00] us",
        "1.100",
        "worse",
    ]
    assert len({len(line) for line in lines}) == 1
