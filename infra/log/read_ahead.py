"""Fetches the next piece in a thread while the caller uses the piece before."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")


def read_ahead(pieces: Iterator[Piece], *, name: str) -> Iterator[Piece]:
    """Yield the pieces in order, fetching one ahead. Errors surface at their piece."""
    with ThreadPoolExecutor(1, thread_name_prefix=name) as fetcher:
        next_piece = fetcher.submit(next, pieces, None)
        while (piece := next_piece.result()) is not None:
            next_piece = fetcher.submit(next, pieces, None)
            yield piece
