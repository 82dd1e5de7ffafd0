"""The protocol between the API and a writer in another process: data in frames.

A frame is four bytes of length, then MessagePack: a request with a number, or the reply
to the request of that number.
"""

import asyncio
from typing import Any, TypeAlias, Union, cast, get_args

import msgspec

from commands.answers import Answer, NotHeld, Outcome
from commands.command_port import AccountState, MarketState, UserState
from commands.messages import COMMANDS, Command
from commands.ports import LogUnavailable
from domain.errors import DomainError
from domain.events.register import Recorded
from domain.ids import LOG_START, LogPosition
from domain.memory_window import MemoryWindow

AnyCommand: Any = Union[COMMANDS]  # noqa: UP007 - made of the register


class Error(msgspec.Struct, tag="error"):
    """A refusal: its class, its sentence and its facts."""

    kind: str
    sentence: str
    facts: dict[str, str | int | None]
    position: LogPosition = LOG_START


class PlainAnswer(msgspec.Struct, tag="answer"):
    """An `Answer` whose refused parts are plain data too."""

    position: LogPosition
    facts: list[Recorded]
    repeated: bool
    order_id: str
    parts: list[tuple[str, "PlainAnswer | Error"]]


State: TypeAlias = MarketState | AccountState | UserState | MemoryWindow | None


class Request(msgspec.Struct):
    """A call of one of the port's methods."""

    number: int
    method: str
    argument: bytes


class Reply(msgspec.Struct):
    """What the method returned, or the error that it raised."""

    number: int
    error: Error | None
    result: bytes


def plain_error(error: Exception) -> Error:
    """Return an error as plain data."""
    if isinstance(error, DomainError):
        position = error.position if isinstance(error, NotHeld) else LOG_START
        return Error(type(error).__name__, error.sentence, error.facts, position)
    return Error(type(error).__name__, str(error), {})


def raised(error: Error) -> Exception:
    """Return the exception that plain data stands for."""
    if error.kind == LogUnavailable.__name__:
        return LogUnavailable(error.sentence)
    kind = _kinds(DomainError)[error.kind]
    refusal = kind.__new__(kind)
    DomainError.__init__(refusal, error.sentence, **error.facts)
    if isinstance(refusal, NotHeld):
        refusal.position = error.position
    return refusal


def _kinds(kind: type[DomainError]) -> dict[str, type[DomainError]]:
    kinds = {kind.__name__: kind}
    for each in kind.__subclasses__():
        kinds |= _kinds(each)
    return kinds


def plain_answer(answer: Answer) -> PlainAnswer:
    """Return an answer as plain data."""
    parts: list[tuple[str, PlainAnswer | Error]] = []
    for name, outcome in answer.parts:
        refused = isinstance(outcome, DomainError)
        parts.append((name, plain_error(outcome) if refused else plain_answer(outcome)))
    return PlainAnswer(
        answer.position, list(answer.facts), answer.repeated, answer.order_id, parts
    )


def whole_answer(plain: PlainAnswer) -> Answer:
    """Return the answer that plain data stands for."""
    parts: list[tuple[str, Outcome]] = []
    for name, outcome in plain.parts:
        if isinstance(outcome, Error):
            refusal = raised(outcome)
            assert isinstance(refusal, DomainError)
            parts.append((name, refusal))
        else:
            parts.append((name, whole_answer(outcome)))
    return Answer(plain.position, plain.facts, plain.repeated, plain.order_id, parts)


encode = msgspec.msgpack.Encoder().encode
_decode_command = msgspec.msgpack.Decoder(AnyCommand).decode
assert set(get_args(AnyCommand)) == set(COMMANDS)


async def send(writer: asyncio.StreamWriter, message: msgspec.Struct) -> None:
    """Write one frame."""
    body = encode(message)
    writer.write(len(body).to_bytes(4, "big") + body)
    await writer.drain()


async def receive(reader: asyncio.StreamReader) -> bytes:
    """Read one frame. Raises IncompleteReadError at the end."""
    size = int.from_bytes(await reader.readexactly(4), "big")
    return await reader.readexactly(size)


def command_of(body: bytes) -> Command:
    """Return the command that a request carries."""
    return cast(Command, _decode_command(body))
