"""The shape of the code base is a test: sizes, words, and nothing left over."""

import ast
import importlib
import re
from collections import Counter
from pathlib import Path

import pytest

from tests.support import scenario_text
from tests.support.bans import BANS, EVERYWHERE, Ban
from tests.support.prose import WORDS, pattern_of
from tests.support.source import (
    PACKAGES,
    ROOT,
    functions,
    imported_names,
    marked_rules,
    module_name,
    python_files,
    text_of,
    tracked_files,
    tree_of,
)

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 50
ROOM_MODULES_MAX = 12

BANNED_FILE_NAMES = re.compile(r"^(utils?|helpers?|common|manager|misc|base_.*)$")
RULE_LINE = re.compile(r"^(?:[-*|] *)?\*\*([A-Z]+-\d+)\*\*", re.MULTILINE)

# In two pieces, so that this file does not name them either.
REGISTRY_HOSTS = ("pypi" + ".org", "python" + "hosted.", "npmjs" + ".org")


def test_no_file_is_too_long():
    sizes = {path: text_of(path).count("\n") for path in python_files(*EVERYWHERE)}

    assert {path: n for path, n in sizes.items() if n > FILE_LINES_MAX} == {}


def test_no_function_is_too_long():
    long = [
        f"{path}:{each.lineno} {each.name}"
        for path in python_files(*EVERYWHERE)
        for each in functions(tree_of(path))
        if (each.end_lineno or 0) - each.lineno + 1 > FUNCTION_LINES_MAX
    ]

    assert long == []


def test_no_room_is_overfull():
    rooms = Counter(
        path.parent.as_posix()
        for path in python_files(*PACKAGES)
        if path.stem != "__init__"
    )
    overfull = {room for room, modules in rooms.items() if modules > ROOM_MODULES_MAX}

    assert overfull == set()


def test_every_module_says_what_it_knows():
    silent = [
        path
        for path in python_files(*EVERYWHERE)
        if not ast.get_docstring(tree_of(path))
    ]

    assert silent == []


def test_files_are_named_after_their_one_job():
    vague = [
        path for path in python_files(*EVERYWHERE) if BANNED_FILE_NAMES.match(path.stem)
    ]

    assert vague == []


@pytest.mark.parametrize("ban", BANS, ids=lambda ban: ban.name)
def test_what_is_not_written_here(ban: Ban):
    found = [
        f"{path}:{line}"
        for path in python_files(*ban.folders)
        if ban.applies_to(path)
        for line in ban.lines(tree_of(path), text_of(path))
    ]

    assert found == [], f"Instead of {ban.name}: {ban.instead}."


@pytest.mark.parametrize(
    ("name", "source"),
    [
        ("float in the core", "def f(x: float) -> None: ..."),
        ("a float literal in the pure core", "x = 0.5"),
        ("reading a clock", "import datetime\nx = datetime.datetime.now()"),
        ("reading a clock", "import time\nx = time.time()"),
        ("chance in the core", "x = uuid4()"),
        ("chance in the core", "x = random.random()"),
        ("an impure module in the domain", "from time import monotonic"),
        ("dict[str, Any] in a signature", "def f(x: dict[str, Any]): ..."),
        ("an ignore without a reason", "x = 1  # type: " + "ignore[arg-type]"),
        ("an ignore without a reason", "x = 1  # pyright: " + "ignore[reportX]"),
        ("an ignore without a reason", "x = 1  # " + "noqa: E501"),
        ("a sleep in a test", "await asyncio.sleep(0.1)"),
        ("whoever", 'x = """not prose"""\n# Whoever reads this'),
        ("for as long as", 'def f():\n    """It lasts for as\n    long as it can."""'),
    ],
)
def test_each_ban_sees_what_it_bans(name: str, source: str):
    (ban,) = [each for each in BANS if each.name == name]

    assert list(ban.lines(ast.parse(source), source))


#: CONTRIBUTING quotes the words.
DOCUMENTS = sorted(
    {Path("README.md"), *Path("docs").rglob("*.md"), *Path("domain").glob("*.pyi")}
    - {Path("docs/CONTRIBUTING.md")}
)


@pytest.mark.parametrize("word", [word for word, _ in WORDS])
def test_no_document_has_a_word_that_prose_does_not_use(word: str):
    pattern = pattern_of(word)

    having = [str(each) for each in DOCUMENTS if pattern.search(each.read_text())]

    assert having == []
    assert len(DOCUMENTS) > 30


@pytest.mark.parametrize(
    ("folders", "users"),
    [(PACKAGES, PACKAGES), (("tests/support",), ("tests",))],
    ids=["product", "test support"],
)
def test_no_module_is_dead(folders: tuple[str, ...], users: tuple[str, ...]):
    imported = {
        name for path in python_files(*users) for name in imported_names(tree_of(path))
    }
    dead = [
        path
        for path in python_files(*folders)
        if path.stem != "__init__"
        and module_name(path) not in imported
        and '__name__ == "__main__"' not in text_of(path)
    ]

    assert dead == []


def test_every_event_type_has_its_golden_file():
    golden = ROOT / "tests/golden/events"
    events = importlib.import_module("domain.events.register")
    tags = {events.tag_of(each) for each in events.EVENTS}

    assert {path.stem for path in golden.glob("*.json")} == tags


def numbered_rules() -> list[str]:
    pages = sorted((ROOT / "docs/rules").glob("*.md"))
    return [code for page in pages for code in RULE_LINE.findall(page.read_text())]


def test_no_rule_number_is_used_twice():
    assert [code for code, n in Counter(numbered_rules()).items() if n > 1] == []


def test_every_rule_has_a_test_and_every_marked_code_a_rule():
    rules = set(numbered_rules())
    assert rules
    marked = {
        code for path in python_files("tests") for code in marked_rules(tree_of(path))
    }
    marked |= {
        code for path in scenario_text.files() for code in scenario_text.rules_in(path)
    }

    assert sorted(rules - marked) == [], "These rules have no test."
    assert sorted(marked - rules) == [], "These codes are in no page of docs/rules/."


def test_no_tracked_file_names_a_registry_or_a_place_on_one_machine():
    own_places = [f"{place}/" for place in (ROOT, Path.home()) if len(place.parts) > 2]
    banned = (*REGISTRY_HOSTS, *own_places)
    named = [
        f"{path}: {word}"
        for path in tracked_files()
        for word in banned
        if word.encode() in (ROOT / path).read_bytes()
    ]

    assert named == []
