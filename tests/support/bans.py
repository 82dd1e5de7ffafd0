"""Forms that this code base bans, and their replacements."""

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.prose import WORDS, lines_with
from tests.support.source import CORE, PACKAGES, dotted, functions

CLOCK = Path("infra/runtime/clock.py")
CLOCK_READERS = re.compile(
    r"(^|\.)(datetime\.(now|utcnow|today)|date\.today|time\.time(_ns)?)$"
)
CHANCE = re.compile(r"^(random|secrets|uuid\.uuid[14]|uuid[14])(\.|$)")
# Pure rules need none of these, not even `logging` and `asyncio`.
IMPURE = {"asyncio", "logging", "os", "pathlib", "socket", "subprocess", "threading"}
UNREPEATABLE = {"time", "random", "secrets"}
# That an ignore names its code is a rule of the linter, that it gives a reason is ours.
SILENT_IGNORE = re.compile(
    r"#\s*(type:\s*ignore|pyright:\s*ignore|noqa)\b"
    r"(?!(\[[\w, -]+\]|:[A-Z0-9, ]+)\s+[#-]\s*\w)"
)


@dataclass(frozen=True)
class Ban:
    """One banned form."""

    name: str
    instead: str
    folders: tuple[str, ...]
    lines: Callable[[ast.Module, str], Iterator[int]]
    except_below: tuple[str, ...] = ()

    def applies_to(self, path: Path) -> bool:
        inside = path.parts[0] in self.folders
        return inside and not path.as_posix().startswith(self.except_below or ("//",))


def floats(tree: ast.Module, _text: str) -> Iterator[int]:
    # A waiting time is not an amount, so `seconds: float` is allowed.
    waits = {
        each.annotation
        for each in ast.walk(tree)
        if isinstance(each, ast.arg) and each.arg.endswith("seconds")
    }
    for node in ast.walk(tree):
        match node:
            case ast.Name(id="float", lineno=line) if node not in waits:
                yield line
            case _:
                pass


def float_literals(tree: ast.Module, _text: str) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=float(), lineno=line):
                yield line
            case _:
                pass


def clock_readings(tree: ast.Module, _text: str) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and CLOCK_READERS.search(dotted(node)):
            yield node.lineno


def chance(tree: ast.Module, _text: str) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and CHANCE.search(dotted(node.func)):
            yield node.lineno


def impure_imports(tree: ast.Module, _text: str) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names, lineno=line):
                if any(
                    each.name.partition(".")[0] in IMPURE | UNREPEATABLE
                    for each in names
                ):
                    yield line
            case ast.ImportFrom(module=str(module), lineno=line):
                if module.partition(".")[0] in IMPURE | UNREPEATABLE:
                    yield line
            case _:
                pass


def shapeless_signatures(tree: ast.Module, _text: str) -> Iterator[int]:
    for function in functions(tree):
        inputs = function.args
        arguments = [*inputs.posonlyargs, *inputs.args, *inputs.kwonlyargs]
        annotations = [each.annotation for each in arguments] + [function.returns]
        if any("dict[str, Any]" in ast.unparse(each) for each in annotations if each):
            yield function.lineno


def silent_ignores(_tree: ast.Module, text: str) -> Iterator[int]:
    for number, line in enumerate(text.splitlines(), start=1):
        if SILENT_IGNORE.search(line):
            yield number


def sleeps(tree: ast.Module, _text: str) -> Iterator[int]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=function, args=[ast.Constant(value=0)]):
                # sleep(0) only yields to other tasks.
                continue
            case ast.Call(func=function, lineno=line):
                if dotted(function) in {"time.sleep", "asyncio.sleep", "sleep"}:
                    yield line
            case _:
                pass


EVERYWHERE = (*PACKAGES, "tests", "benchmarks")
BANS = (
    Ban("float in the core", "Money, Price or Quantity", CORE, floats),
    Ban(
        "a float literal in the pure core",
        "integers in 1/10,000",
        ("domain", "projections"),
        float_literals,
    ),
    Ban(
        "reading a clock",
        "a time that comes in as at=, or infra/runtime/clock.py",
        PACKAGES,
        clock_readings,
        except_below=(CLOCK.as_posix(),),
    ),
    Ban("chance in the core", "ids that come in as arguments", CORE, chance),
    Ban("an impure module in the domain", "arguments", ("domain",), impure_imports),
    Ban("dict[str, Any] in a signature", "a struct", PACKAGES, shapeless_signatures),
    Ban("an ignore without a reason", "the reason", EVERYWHERE, silent_ignores),
    Ban(
        "a sleep in a test",
        "waiting for a log position",
        ("tests",),
        sleeps,
        except_below=("tests/support/", "tests/prove/"),
    ),
    *(Ban(word, instead, EVERYWHERE, lines_with(word)) for word, instead in WORDS),
)
