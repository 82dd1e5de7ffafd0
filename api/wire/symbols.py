"""How several instruments are named in a query: `?symbols=ACME,GLBX`."""

from typing import Annotated, TypeAlias

from litestar.params import QueryParameter

from domain.ids import Symbol

Symbols: TypeAlias = Annotated[
    str | None, QueryParameter(description="Symbols, with commas between them.")
]


def listed_symbols(text: str | None) -> tuple[Symbol, ...]:
    """The symbols of a list; none where there is no list.

    >>> listed_symbols("ACME, GLBX,")
    ('ACME', 'GLBX')
    """
    return tuple(each.strip() for each in (text or "").split(",") if each.strip())
