"""Several symbols in one query parameter: `?symbols=ACME,GLBX`."""

from typing import Annotated, TypeAlias

from litestar.params import QueryParameter

from domain.ids import Symbol

Symbols: TypeAlias = Annotated[
    str | None, QueryParameter(description="Symbols, separated by commas.")
]


def symbols_in(text: str | None) -> tuple[Symbol, ...]:
    """Return the symbols of a comma-separated list, in capitals.

    >>> symbols_in("acme, GLBX,")
    ('ACME', 'GLBX')
    """
    names = (each.strip() for each in (text or "").split(","))
    return tuple(Symbol(name.upper()) for name in names if name)
