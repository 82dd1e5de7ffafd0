"""Fetches the next piece in a thread while the one before is used."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Piece = TypeVar("Piece")


def read_ahead(pieces: Iterator[Piece], *, name: str) -> Iterator[Piece]:
    """The same pieces, one of them always on its way. Errors come through in place."""
    with ThreadPoolExecutor(1, thread_name_prefix=name) as fetcher:
        coming = fetcher.submit(next, pieces, None)
        while (piece := coming.result()) is not None:
            coming = fetcher.submit(next, pieces, None)
            yield piece
