"""The lines of a recorded order flow: orders, and the answers that must come out.

One JSON array a line, compressed with zstd; `docs/ORDERFLOW.md` explains the form.
Prices are in 1/10,000 of a dollar, sizes in whole shares, a side is 1 for buy and -1
for sell. Ids are the recording's own; after an order ended its id may come again.

>>> decode(b'["ioc",1,5857800,5,[[7,5,5857700]]]').fills
(ExpectedFill(maker=7, size=5, price=5857700),)
>>> decode(b'["row",5857900,16,-9999999999,0]')
Row(asks=((5857900, 16),), bids=(), depth=1)
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, TypeAlias

import msgspec
import zstandard

from domain.money import Price, Quantity
from domain.vocabulary import Side

FlowId: TypeAlias = int
Sign: TypeAlias = Literal[1, -1]
Levels: TypeAlias = tuple[tuple[Price, Quantity], ...]


class FlowUnreadable(Exception):
    """A file does not hold an order flow."""

    code = "flow-unreadable"


class _Line(msgspec.Struct, frozen=True, gc=False, array_like=True, tag_field="type"):
    """One line. Its first element names its type."""


class _Resting(_Line, frozen=True):
    flow_id: FlowId
    sign: Sign
    price: Price
    size: Quantity

    @property
    def side(self) -> Side:
        return Side.BUY if self.sign == 1 else Side.SELL


class Seed(_Resting, frozen=True, tag="seed"):
    """A resting limit order that was in the book before the recording began."""


class New(_Resting, frozen=True, tag="new"):
    """A limit order that comes to rest."""


class ExpectedFill(msgspec.Struct, frozen=True, gc=False, array_like=True):
    """A fill as it really happened."""

    maker: FlowId
    size: Quantity
    price: Price


class Ioc(_Line, frozen=True, tag="ioc"):
    """An aggressive order, and the fills that must result, in order."""

    sign: Sign
    limit: Price
    size: Quantity
    fills: tuple[ExpectedFill, ...]

    @property
    def side(self) -> Side:
        return Side.BUY if self.sign == 1 else Side.SELL


class Reduce(_Line, frozen=True, tag="reduce"):
    """Take `size` off an order, which keeps its place in the queue."""

    flow_id: FlowId
    size: Quantity


class Cancel(_Line, frozen=True, tag="cancel"):
    """Remove an order."""

    flow_id: FlowId


class Drop(_Line, frozen=True, tag="drop"):
    """Remove an order that the recording does not follow any longer."""

    flow_id: FlowId


class Row(msgspec.Struct, frozen=True, gc=False):
    """The best `depth` levels of the book at this point, best first."""

    asks: Levels
    bids: Levels
    depth: int


Entry: TypeAlias = Seed | New
Action: TypeAlias = Seed | New | Ioc | Reduce | Cancel | Drop
Step: TypeAlias = Action | Row

_decode_action = msgspec.json.Decoder(Action).decode
_decode_row = msgspec.json.Decoder(list[int | str]).decode
_ROW = b'["row"'
#: Numbers of a row for each level: ask price, ask size, bid price, bid size.
_LEVEL = 4


def decode(line: bytes) -> Step:
    """Decode one line of a flow."""
    if not line.startswith(_ROW):
        return _decode_action(line)
    numbers = [int(each) for each in _decode_row(line)[1:]]
    return Row(
        _levels(numbers[0::_LEVEL], numbers[1::_LEVEL]),
        _levels(numbers[2::_LEVEL], numbers[3::_LEVEL]),
        len(numbers) // _LEVEL,
    )


def _levels(prices: list[int], sizes: list[int]) -> Levels:
    # A size of 0 means that there is no level; its price is a filler.
    return tuple(
        (Price(price), Quantity(size))
        for price, size in zip(prices, sizes, strict=True)
        if size
    )


def named(step: Step) -> str:
    """Name a step in a mismatch."""
    if isinstance(step, Ioc | Row):
        return type(step).__name__.lower()
    return f"{type(step).__name__.lower()} {step.flow_id}"


def read_flow(path: Path, limit: int | None = None) -> list[tuple[int, Step]]:
    """Return the steps of a file with their line numbers, up to `limit` commands.

    Raises:
        FlowUnreadable: names the line and the reason.
    """
    steps: list[tuple[int, Step]] = []
    commands = 0
    for number, line in enumerate(_lines(path), start=1):
        try:
            step = decode(line)
        except (msgspec.MsgspecError, ValueError) as reason:
            raise FlowUnreadable(f"{path}, line {number}: {reason}") from reason
        if not isinstance(step, Row):
            # The rows after the last command show its effect.
            if commands == limit:
                break
            commands += 1
        steps.append((number, step))
    return steps


def _lines(path: Path) -> Iterator[bytes]:
    try:
        compressed = path.read_bytes()
        with zstandard.ZstdDecompressor().stream_reader(compressed) as stream:
            text = stream.read()
    except (OSError, zstandard.ZstdError) as reason:
        raise FlowUnreadable(f"{path} cannot be read: {reason}") from reason
    yield from text.splitlines()
