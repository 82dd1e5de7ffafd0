"""Request bodies: decoded straight into their struct, or refused with a sentence.

Decoding from the text keeps every digit of a number; a Python float would round it.
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

#: U+0000. After another backslash these are six ordinary characters.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


class BodyReader(Generic[T]):
    """Reads JSON bodies of one type."""

    def __init__(self, body_type: type[T]) -> None:
        # As text: a float would lose digits.
        decoder = msgspec.json.Decoder(body_type, dec_hook=_own_type, float_hook=str)
        self._decode = decoder.decode

    def read(self, body: bytes | msgspec.Raw) -> T:
        """Return the decoded body. Raises MalformedBody or BadParameter."""
        value = self.take_apart(body)
        text = bytes(body)
        if b"\\u0000" in text and _NUL.search(text):
            # Postgres would store the text and then fail to read it as JSON.
            raise BadParameter("text must not contain the character U+0000")
        return value

    def take_apart(self, body: bytes | msgspec.Raw) -> T:
        """Decode a body whose parts a `BodyReader` reads later, one by one."""
        try:
            return self._decode(body)
        except msgspec.ValidationError as error:
            raise mismatch(error) from None
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise MalformedBody from None


def _own_type(kind: type, value: Any) -> Any:
    """Convert a value of a type that msgspec does not know: only `Number` needs it."""
    return number(value) if kind is Number else value


def mismatch(error: msgspec.ValidationError) -> BadParameter:
    """Return the decoder's complaint as a sentence that names the field.

    >>> mismatch(msgspec.ValidationError("Expected `str`, got `int` - at `$.symbol`"))
    BadParameter('symbol: expected text, got int')
    >>> mismatch(msgspec.ValidationError("Expected `str | null`, got `int` - at `$.a`"))
    BadParameter('a: expected text, got int')
    """
    text = str(error)
    place = ""
    suffix = _PLACE.search(text)
    if suffix is not None:
        text, place = text[: suffix.start()], suffix["place"]
    field = _NAMED.search(text)
    if field is not None:
        name = f"{place}.{field['name']}" if place else field["name"]
        if field["kind"] == "missing required":
            return BadParameter(f"{name} is required", name)
        return BadParameter(f"{name} is not a field of this request", name)
    # Null stands for an omitted field here, so the sentence leaves it out.
    text = text.replace(" | null`", "`").replace("`str`", "text").replace("`", "")
    text = text[:1].lower() + text[1:]
    return BadParameter(f"{place or 'the body'}: {text}", place or None)


def is_json(media_type: bytes) -> bool:
    """Return whether a `Content-Type` says JSON, with any character set."""
    return media_type.partition(b";")[0].strip().lower() == MEDIA_TYPE


class Body(AbstractDTO[T]):
    """Decodes the `data` of an ordinary route with a `BodyReader`."""

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
