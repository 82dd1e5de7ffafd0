"""Generates docs/CATALOG.md from the registers of facts, commands and read models.

`python -m infra.docs.catalog` writes the page; a test fails if the page is stale.
"""

import inspect
import sys
from collections.abc import Iterable
from itertools import groupby
from pathlib import Path

import msgspec

from commands.handlers.dispatch import HANDLERS
from commands.handlers.parts import EXPANSIONS
from commands.messages import COMMANDS, Command
from domain.events.event import Event
from domain.events.register import EVENTS, tag_of
from projections.projection import Projection
from projections.register import PROJECTIONS

ROOT = Path(__file__).parents[2]
PAGE = Path("docs/CATALOG.md")

STREAMS = {
    "market": "`market-<SYMBOL>`",
    "wallet": "`wallet-<account id>`",
    "user": "`user-<user id>`",
    "email": "`email-<keyed hash of the address>`",
    "security": "`security-log`",
    "keys": "`keys-log`",
    "clock": "`clock-log`",
}


def catalog_page() -> str:
    """Return the registers as a Markdown page."""
    return f"""# Catalog

This page lists every fact that Bourse records, every command that it accepts, and every
read model that it keeps. `make catalog` generates it from `domain/events/`,
`commands/messages.py` and `projections/register.py`.

Each fact also carries its time, its actor and its command (`meta`). Money and prices
are in 1/10,000 of a dollar, quantities in whole shares, times in microseconds since
1970-01-01 UTC.

## Facts

{_facts()}

## Commands

{_table(("command", "fields", "intent", "handler"), _commands())}

## Read models

{_table(("read model", "content", "folds"), _views())}
"""


def _facts() -> str:
    by_stream = groupby(EVENTS, key=lambda each: tag_of(each).partition(".")[0])
    columns = ("fact", "fields", "what happened", "read models")
    return "\n\n".join(
        f"### {STREAMS[stream]}\n\n{_table(columns, map(_fact, events))}"
        for stream, events in by_stream
    )


def _fact(event: type[Event]) -> tuple[str, ...]:
    views = [each.view.name for each in PROJECTIONS if event in folded_by(each)]
    return f"`{tag_of(event)}`", _fields(event), _sentence(event), ", ".join(views)


def _commands() -> Iterable[tuple[str, ...]]:
    for command in COMMANDS:
        handler = HANDLERS.get(command) or EXPANSIONS[command]
        place = f"`{handler.__module__}.{handler.__name__}`"
        yield f"`{command.__name__}`", _fields(command), _sentence(command), place


def _views() -> Iterable[tuple[str, ...]]:
    for projection in PROJECTIONS:
        folded = folded_by(projection)
        facts = ", ".join(f"`{tag_of(each)}`" for each in EVENTS if each in folded)
        documentation = inspect.getdoc(sys.modules[projection.__module__]) or ""
        yield f"`{projection.view.name}`", documentation.partition("\n")[0], facts


def folded_by(projection: type[Projection]) -> set[type[Event]]:
    """Return the facts that change a read model: those that its methods fold."""
    methods = vars(projection).values()
    return {fact for method in methods for fact in getattr(method, "folds", ())}


def _fields(struct: type[Event] | type[Command]) -> str:
    names = [each.encode_name for each in msgspec.structs.fields(struct)]
    return ", ".join(f"`{name}`" for name in names if name != "meta")


def _sentence(documented: object) -> str:
    """Return the whole docstring in one line."""
    return " ".join((inspect.getdoc(documented) or "").split())


def _table(columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = (columns, ("---",) * len(columns), *rows)
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |"
        for line in lines
    )


def main() -> None:
    """Write the page."""
    (ROOT / PAGE).write_text(catalog_page(), encoding="utf-8")


if __name__ == "__main__":
    main()
