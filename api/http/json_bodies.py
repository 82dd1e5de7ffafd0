"""How request bodies are read: straight into their struct, and what is told if not.

Decoding straight from the text keeps every digit of a number; through Python's own
numbers it would pass a binary fraction.
"""

import re
from typing import Any, ClassVar, Generic, TypeVar

import msgspec
from litestar.dto import AbstractDTO
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from api.http.numbers import Number, number
from api.http.request_errors import BadParameter, MalformedBody, WrongMediaType

T = TypeVar("T")

MEDIA_TYPE = b"application/json"

_PLACE = re.compile(r" - at `\$\.?(?P<place>[^`]*)`$")
_NAMED = re.compile(r"(?P<kind>missing required|contains unknown) field `(?P<name>.*)`")

#: U+0000. After another backslash it is six ordinary characters.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class BodyReader(Generic[T]):
    """Reads JSON bodies of one type."""

    def __init__(self, body_type: type[T]) -> None:
        # A fraction comes as it is written; as a float it would lose digits.
        decoder = msgspec.json.Decoder(body_type, dec_hook=_own_type, float_hook=str)
        self._decode = decoder.decode

    def read(self, body: bytes | msgspec.Raw) -> T:
        """Raises MalformedBody or BadParameter."""
        found = self.take_apart(body)
        text = bytes(body)
        if b"\\u0000" in text and _NUL.search(text):
            # Postgres could keep it, and never read it as JSON again.
            raise BadParameter("no text may have the character U+0000 in it")
        return found

    def take_apart(self, body: bytes | msgspec.Raw) -> T:
        """What `read` does, for a body whose parts are read one by one later."""
        try:
            return self._decode(body)
        except msgspec.ValidationError as error:
            raise mismatch(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise MalformedBody from None


def _own_type(kind: type, value: Any) -> Any:
    """What the decoder asks about what is none of its types: numbers, and what a
    field of any type at all holds."""
    return number(value) if kind is Number else value


def mismatch(error: msgspec.ValidationError) -> BadParameter:
    """What does not fit, in a sentence that names the field.

    >>> mismatch(msgspec.ValidationError("Expected `str`, got `int` - at `$.symbol`"))
    BadParameter('symbol: expected text, got int')
    >>> mismatch(msgspec.ValidationError("Expected `str | null`, got `int` - at `$.a`"))
    BadParameter('a: expected text, got int')
    """
    text = str(error)
    place = ""
    found = _PLACE.search(text)
    if found is not None:
        text, place = text[: found.start()], found["place"]
    named = _NAMED.search(text)
    if named is not None:
        name = f"{place}.{named['name']}" if place else named["name"]
        if named["kind"] == "missing required":
            return BadParameter(f"{name} is required", name)
        return BadParameter(f"{name} is not a field of this request", name)
    # What may be left out is told as what it must be where it is there.
    text = text.replace(" | null`", "`").replace("`str`", "text").replace("`", "")
    text = text[:1].lower() + text[1:]
    return BadParameter(f"{place or 'the body'}: {text}", place or None)


def is_json(media_type: bytes) -> bool:
    """Whether a `Content-Type` says JSON, in whatever character set."""
    return media_type.partition(b";")[0].strip().lower() == MEDIA_TYPE


class Body(AbstractDTO[T]):
    """Lets an ordinary route take its `data` through a `BodyReader`."""

    _readers: ClassVar[dict[str, BodyReader[Any]]] = {}

    @classmethod
    def create_for_field_definition(
        cls, field_definition: FieldDefinition, handler_id: str, backend_cls: Any = None
    ) -> None:
        del backend_cls
        cls._readers[handler_id] = BodyReader(field_definition.annotation)

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Reference | Schema:
        del handler_id
        return schema_creator.for_field_definition(field_definition)

    def decode_bytes(self, value: bytes) -> Any:
        headers = dict(self.asgi_connection.scope["headers"])
        media_type = headers.get(b"content-type")
        if media_type is not None and not is_json(media_type):
            raise WrongMediaType
        return self._readers[self.asgi_connection.route_handler.handler_id].read(value)
