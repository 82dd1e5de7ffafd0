"""The output of the command line: tables and progress for people, JSON for programs.

Results go to standard output and everything else to standard error, so programs can
always pipe the output of `--json`.
"""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import TypeAlias

import msgspec
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

#: Called with the progress and the total.
Gauge: TypeAlias = Callable[[int, int], None]


class Failure(msgspec.Struct, frozen=True):
    """The output of a failed command with `--json`."""

    error: str
    message: str


class Output:
    """The output of one command: its result and its progress."""

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self._out = Console(highlight=False)
        self._aside = Console(stderr=True, highlight=False)

    @contextmanager
    def progress(self, what: str) -> Generator[Gauge]:
        """Show a progress bar, on a terminal only."""
        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._aside,
            disable=not self._aside.is_terminal,
            transient=True,
        )
        with bar:
            task = bar.add_task(what, total=None)
            yield lambda done, total: bar.update(task, completed=done, total=total)

    def json(self, result: msgspec.Struct | Sequence[msgspec.Struct]) -> None:
        text = msgspec.json.format(msgspec.json.encode(result))
        self._out.print(Text(text.decode()), soft_wrap=True)

    def say(self, sentence: str, *, style: str = "") -> None:
        self._out.print(Text(sentence, style=style), soft_wrap=True)

    def table(
        self, headings: Sequence[str], rows: Iterable[Sequence[Text | str]]
    ) -> None:
        table = Table(*headings, box=None, pad_edge=False, header_style="dim")
        for row in rows:
            table.add_row(*row)
        self._out.print(table)

    def aside(self, sentence: str) -> None:
        """Print a remark that is not part of the result."""
        self._aside.print(Text(sentence), soft_wrap=True)

    def failure(self, code: str, message: str) -> None:
        """Print why a command failed."""
        if self.as_json:
            self.json(Failure(code, message))
        self._aside.print(Text(message, style="red"), soft_wrap=True)


def mark(*, good: bool) -> Text:
    """Return a tick or a cross."""
    return Text("✓", style="green") if good else Text("✗", style="bold red")


def unmarked() -> Text:
    """Return the mark of a skipped check."""
    return Text("–", style="dim")
