"""Several symbols in one query parameter: `?symbols=ACME,GLBX`."""

from typing import Annotated, TypeAlias

from litestar.params import QueryParameter

from api.http.request_errors import BadParameter
from domain.ids import Symbol

#: A request may name so many instruments: each costs a read.
SYMBOLS_MAX = 100
Symbols: TypeAlias = Annotated[
    str | None,
    QueryParameter(description=f"Symbols, separated by commas; at most {SYMBOLS_MAX}."),
]


def symbols_in(text: str | None) -> tuple[Symbol, ...]:
    """Return the symbols of a comma-separated list, in capitals, each once.

    >>> symbols_in("acme, GLBX, Acme,")
    ('ACME', 'GLBX')

    Raises:
        BadParameter: there are too many.
    """
    names = (each.strip() for each in (text or "").split(","))
    symbols = tuple(dict.fromkeys(Symbol(name.upper()) for name in names if name))
    if len(symbols) > SYMBOLS_MAX:
        raise BadParameter(
            f"symbols: expected at most {SYMBOLS_MAX} symbols, got {len(symbols)}",
            "symbols",
        )
    return symbols
