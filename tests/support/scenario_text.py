"""Reads scenarios from text. tests/scenarios/README.md describes the verbs."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

from tests.support import amounts
from tests.support.scenario import (
    Action,
    Cancel,
    CancelAll,
    Check,
    Given,
    Halt,
    Place,
    Prefer,
    Replace,
    Resume,
    Roll,
    Scenario,
    Snapshot,
    Status,
    Step,
    Terms,
)

FOLDER = Path(__file__).parents[1] / "scenarios"
RULE = re.compile(r"^# ([A-Z]+-\d+) ", re.MULTILINE)
Act: TypeAlias = Action | Given | Check | Status | Snapshot
Words: TypeAlias = dict[str, str]


class Unreadable(Exception):
    """A line of a scenario that no verb reads."""


def files() -> list[Path]:
    return sorted(FOLDER.glob("*.txt"))


def rules_in(path: Path) -> list[str]:
    """Return the rules that a file's header names."""
    header = path.read_text(encoding="utf-8").partition("\n== ")[0]
    return RULE.findall(header)


def read(file: str, text: str) -> list[Scenario]:
    """Return the scenarios of a file.

    Raises:
        Unreadable: says which line of the file, and what is wrong with the line.
    """
    scenarios: list[Scenario] = []
    reader = Reader()
    for number, line, below in _lines(text):
        try:
            if line.startswith("== "):
                scenarios.append(Scenario(file, line[3:]))
                reader = Reader()
            elif not scenarios:
                raise ValueError("no title stands above this line")
            else:
                act = reader.act(line, below)
                scenarios[-1].steps.append(Step(number, line, act, below))
        except ValueError as reason:
            raise Unreadable(f"{file}:{number}: {line}: {reason}") from reason
    return scenarios


def _lines(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """Yield each line with its number and the indented lines below it."""
    current: tuple[int, str, list[str]] | None = None
    for number, raw in enumerate(text.splitlines(), start=1):
        line = raw.partition("#")[0].rstrip()
        if not line:
            continue
        if line.startswith(" ") and current is not None:
            # 1,000 and 1000 are the same number.
            words = " ".join(line.split())
            current[2].append(re.sub(r"(?<=\d),(?=\d)", "", words))
            continue
        if current is not None:
            yield current
        current = (number, line, [])
    if current is not None:
        yield current


class Reader:
    """A reader of one scenario's verbs. Knows the last order of each trader."""

    def __init__(self) -> None:
        self._newest: dict[str, str] = {}
        self._count = 0

    def act(self, line: str, below: list[str]) -> Act:
        for pattern, verb in VERBS.items():
            match = re.fullmatch(pattern, line)
            if match is not None:
                refused = bool(below) and below[0].startswith("refused")
                return verb(self, match.groupdict(), refused)
        raise ValueError("no verb reads this line")

    def _order_id(self, owner: str, name: str) -> str:
        """Return an order's id; `it` and `order` mean the owner's newest order."""
        if name in ("it", "order"):
            return self._newest.get(owner, "none")
        return f"{owner} {name}"

    def _new_id(self, words: Words, refused: bool) -> str:
        self._count += 1
        owner = words["owner"]
        order_id = f"{owner} {words['name'] or self._count}"
        if not refused:
            self._newest[owner] = order_id
        return order_id

    def place(self, words: Words, refused: bool) -> Place:
        price = None if words["price"] == "market" else amounts.read(words["price"])
        return Place(
            words["owner"],
            self._new_id(words, refused),
            words["side"].removesuffix("s"),
            _integer(words["quantity"]),
            price,
            words["tif"] or ("day" if price is None else "gtc"),
            _policy(words["policy"]),
        )

    def replace(self, words: Words, refused: bool) -> Replace:
        owner = words["owner"]
        order_id = self._order_id(owner, words["old"])
        quantity, price = words["quantity"], words["price"]
        return Replace(
            owner,
            order_id,
            self._new_id(words, refused),
            _integer(quantity) if quantity else None,
            amounts.read(price) if price else None,
            words["tif"],
        )

    def cancel(self, words: Words, _: bool) -> Cancel | CancelAll:
        by, owner = words["by"], words["owner"] or words["by"]
        if words["name"] == "all":
            return CancelAll(owner)
        return Cancel(by, owner, self._order_id(owner, words["name"]))

    def status(self, words: Words, _: bool) -> Status:
        owner = words["owner"]
        return Status(owner, self._order_id(owner, words["name"]), words["status"])

    def prefer(self, words: Words, _: bool) -> Prefer:
        return Prefer(words["owner"], prevention=_policy(words["policy"]))

    def suspend(self, words: Words, _: bool) -> Prefer:
        return Prefer(words["owner"], suspended=words["verb"] == "suspends")

    def terms(self, words: Words, _: bool) -> Terms:
        pairs = re.findall(r" (\S+) (\S+)", words["terms"])
        return Terms({name: _term(name, value) for name, value in pairs})

    def market(self, words: Words, _: bool) -> Halt | Resume:
        return Halt() if words["verb"] == "halts" else Resume()

    def roll(self, words: Words, _: bool) -> Roll:
        return Roll(words["date"])

    def given(self, words: Words, _: bool) -> Given:
        return Given(words["what"])

    def check(self, words: Words, _: bool) -> Check:
        return Check(words["what"])

    def snapshot(self, _: Words, __: bool) -> Snapshot:
        return Snapshot()


def _integer(word: str) -> int:
    return amounts.read(word, units=1)


def _policy(word: str | None) -> str | None:
    return word and word.replace("-", "_")


def _term(name: str, value: str) -> int:
    match name:
        case "tick" | "reference":
            return amounts.read(value)
        case "lot":
            return _integer(value)
        case "band" | "collar" | "maker-fee" | "taker-fee":
            return 0 if value == "none" else amounts.read(value.rstrip("%"), units=100)
        case _:
            raise ValueError(f"no term of a listing: {name}")


_NUMBER = r"-?[\d,]*\.?\d+"
_OWNER = r"(?P<owner>\w+)"
_NAME = r"(?P<name>[\w-]+)"
_POLICY = r"(?P<policy>cancel-\w+)"
_TIF = "(?: (?P<tif>day|gtc|ioc|fok))?"
_AS = f"(?: as {_NAME})?"
_QUANTITY = f"(?P<quantity>{_NUMBER})"

#: Each form of a line, and its reader.
VERBS: dict[str, Callable[[Reader, Words, bool], Act]] = {
    "(?P<what>book|accounts)": Reader.given,
    "(?P<what>book|tape|accounts) (?:is|are)": Reader.check,
    "snapshot": Reader.snapshot,
    r"market has(?P<terms>( [a-z-]+ [\w.,%]+)+)": Reader.terms,
    "market (?P<verb>halts|resumes)": Reader.market,
    r"day rolls to (?P<date>\d{4}-\d\d-\d\d)": Reader.roll,
    f"{_OWNER} (?P<side>buys|sells) {_QUANTITY} at (?P<price>market|{_NUMBER})"
    f"{_TIF}(?: {_POLICY})?{_AS}": Reader.place,
    rf"{_OWNER} replaces (?P<old>[\w-]+)(?: with {_QUANTITY})?"
    rf"(?: at (?P<price>{_NUMBER}))?{_TIF}{_AS}": Reader.replace,
    rf"(?P<by>\w+) cancels (?:{_OWNER}'s )?{_NAME}": Reader.cancel,
    f"{_OWNER} prefers {_POLICY}": Reader.prefer,
    f"{_OWNER} (?P<verb>suspends|resumes) trading": Reader.suspend,
    rf"{_OWNER}'s {_NAME} is (?P<status>[a-z ]+)": Reader.status,
}
