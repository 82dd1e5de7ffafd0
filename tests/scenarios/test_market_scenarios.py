"""The product and the reference market play the market's rules, written as text.

tests/scenarios/README.md describes the verbs.
"""

from pathlib import Path

import pytest

from tests.support import scenario_text
from tests.support.scenario import Scenario, Snapshot, TradedMarket
from tests.support.scenario_product import Product
from tests.support.scenario_reference import Reference
from tests.support.scenario_run import Differs, play

FILES = [
    pytest.param(
        path,
        id=path.stem,
        marks=[pytest.mark.rule(code) for code in scenario_text.rules_in(path)],
    )
    for path in scenario_text.files()
]
MARKETS = [Product, Reference]


def scenarios(path: Path) -> list[Scenario]:
    return scenario_text.read(path.name, path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("path", FILES)
def test_a_market_does_what_its_rules_say(path: Path, market: type[TradedMarket]):
    for scenario in scenarios(path):
        play(scenario, market())


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("path", FILES)
def test_a_restart_before_any_line_changes_nothing(
    path: Path, market: type[TradedMarket]
):
    for scenario in scenarios(path):
        play(scenario, market(), restarts=True)


def test_every_file_names_its_rules_and_restarts_in_the_middle_of_a_story():
    assert len(FILES) > 30
    for path in scenario_text.files():
        assert scenario_text.rules_in(path), path.name
        before_the_last = [each.steps[:-1] for each in scenarios(path)]
        acts = [step.act for steps in before_the_last for step in steps]
        assert Snapshot() in acts, path.name


@pytest.mark.parametrize("market", MARKETS)
def test_the_example_of_the_readme_is_true(market: type[TradedMarket]):
    readme = scenario_text.FOLDER / "README.md"
    example = readme.read_text(encoding="utf-8").split("```")[1]

    (scenario,) = scenario_text.read(readme.name, example)

    play(scenario, market())


# --- the language itself ---

STORY = """# MATCH-01  An example of a scenario that is wrong.

== an order that trades
accounts
            cash   shares
    bob      0.00     100
bob sells 100 at 10.01
alice buys 60 at 10.01 as first
    {outcome}
{check}
"""


@pytest.mark.parametrize(
    ("outcome", "check", "line"),
    [
        ("trades 60 at 10.02 with bob", "", 8),
        ("trades 60 at 10.01", "", 8),
        ("", "", 8),
        ("trades 60 at 10.01 with bob", "alice's first is new", 10),
        ("trades 60 at 10.01 with bob", "book is\n  10.01  40", 10),
        ("trades 60 at 10.01 with bob", "book is", 10),
        ("trades 60 at 10.01 with bob", "tape is\n  1  50 at 10.01", 10),
        ("trades 60 at 10.01 with bob", "accounts are\n  cash\n  bob 600.59", 10),
    ],
)
@pytest.mark.parametrize("market", MARKETS)
def test_a_scenario_that_says_otherwise_fails_at_its_line(
    market: type[TradedMarket], outcome: str, check: str, line: int
):
    (story,) = scenario_text.read("x.txt", STORY.format(outcome=outcome, check=check))

    with pytest.raises(Differs) as difference:
        play(story, market())

    message = str(difference.value)
    assert message.startswith(f"x.txt:{line}: ")
    assert message.splitlines()[-2:] == [
        "    bid   price   ask",
        "          10.01   40 bob",
    ]


@pytest.mark.parametrize(
    "line",
    [
        "alice hopes for 100 at 10.00",
        "alice buys some at 10.00",
        "alice buys 100 at 10.00001",
        "alice buys 1.5 at 10.00",
        "alice buys 100 at 10.00 gtd",
        "market has fun 5%",
        "market has band 0.001%",
    ],
)
def test_a_line_that_no_verb_reads_is_an_error(line: str):
    with pytest.raises(scenario_text.Unreadable, match=r"x\.txt:4: "):
        scenario_text.read("x.txt", f"# MATCH-01  A rule.\n\n== a title\n{line}\n")


def test_a_line_before_the_first_title_is_an_error():
    with pytest.raises(scenario_text.Unreadable, match=r"x\.txt:2: "):
        scenario_text.read("x.txt", "# MATCH-01  A rule.\nmarket halts\n")
