"""The prose of a source file, and the words that it does not use."""

import ast
import io
import re
import tokenize
from collections.abc import Callable, Iterator
from functools import cache

#: Each word and its replacement. A word of several parts may be broken over lines.
WORDS = (
    ("whoever", "the actor's name"),
    ("anew", "again"),
    ("for as long as", "while"),
    ("of its own", "its own, before the noun"),
    ("but for", "except"),
)


def pattern_of(word: str) -> re.Pattern[str]:
    """Return the pattern of a word, which may be broken over lines."""
    parts = r"\s+".join(re.escape(part) for part in word.split())
    return re.compile(rf"\b{parts}\b", re.IGNORECASE)


def lines_with(word: str) -> Callable[[ast.Module, str], Iterator[int]]:
    """Return a function that yields the lines where prose uses a word."""
    pattern = pattern_of(word)

    def lines(tree: ast.Module, text: str) -> Iterator[int]:
        prose = prose_of(tree, text)
        for match in pattern.finditer(prose):
            yield prose.count("\n", 0, match.start()) + 1

    return lines


@cache
def prose_of(tree: ast.Module, text: str) -> str:
    """Return the docstrings and comments of a file, each on its own line as there."""
    source = text.splitlines()
    prose = [""] * len(source)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            prose[token.start[0] - 1] = token.string.lstrip("#: ")
    for docstring in _docstrings(tree):
        start, end = docstring.lineno - 1, docstring.end_lineno
        prose[start:end] = source[start:end]
    return "\n".join(prose)


def _docstrings(tree: ast.Module) -> Iterator[ast.Constant]:
    for node in ast.walk(tree):
        match getattr(node, "body", None):
            case [ast.Expr(value=ast.Constant(value=str()) as docstring), *_]:
                yield docstring
            case _:
                pass
