"""Reads the repository's source for the tests of its shape."""

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("domain", "commands", "projections", "infra", "api", "processors")
CORE = ("domain", "commands", "projections")


@cache
def python_files(*folders: str) -> tuple[Path, ...]:
    """Return the paths of all Python files below the folders, relative to the root."""
    found = (path for each in folders for path in (ROOT / each).rglob("*.py"))
    return tuple(sorted(path.relative_to(ROOT) for path in found))


@cache
def text_of(path: Path) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(text_of(path), str(path))


def module_name(path: Path) -> str:
    """Return `domain.ids` for `domain/ids.py`, `domain` for its `__init__.py`."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imported_names(tree: ast.Module) -> Iterator[str]:
    """Return every dotted name that a module imports; both a and a.b for a member."""
    for node in ast.walk(tree):
        match node:
            case ast.Import(names=names):
                yield from (each.name for each in names)
            case ast.ImportFrom(module=str(module), names=names):
                yield module
                yield from (f"{module}.{each.name}" for each in names)
            case _:
                pass


def dotted(node: ast.AST) -> str:
    """Return the text of a dotted name like `datetime.now`, else an empty text."""
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=attribute):
            before = dotted(value)
            return f"{before}.{attribute}" if before else ""
        case _:
            return ""


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def marked_rules(tree: ast.Module) -> Iterator[str]:
    """Return the codes of marks like `@pytest.mark.rule("MATCH-07")`."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=function, args=[ast.Constant(value=str(code)), *_]):
                if dotted(function).endswith("mark.rule"):
                    yield code
            case _:
                pass


@cache
def tracked_files() -> tuple[Path, ...]:
    """Return every file that git tracks, or nothing outside of a checkout."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    paths = (Path(name) for name in listed.stdout.split("\0") if name)
    return tuple(path for path in paths if (ROOT / path).is_file())
