"""Request bodies: decoded straight into their struct, or refused with a sentence.

Decoding from the text keeps every digit of a number; a Python float would round it.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, TypeAlias, TypeVar, cast

import msgspec
from litestar.dto import AbstractDTO
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from api.http.numbers import Number, number
from api.http.request_errors import (
    BadParameter,
    EncodedBody,
    MalformedBody,
    WrongMediaType,
)

T = TypeVar("T")

MEDIA_TYPE = b"application/json"

_PLACE = re.compile(r" - at `\$\.?(?P<place>[^`]*)`$")
_NAMED = re.compile(r"(?P<kind>missing required|contains unknown) field `(?P<name>.*)`")

#: What JSON calls the types of the decoder.
_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "float": "a number with decimals",
    "int": "a whole number",
    "null": "null",
    "object": "an object",
    "str": "text",
}
_BOUND = re.compile(
    r"`(?P<kind>\w+)`(?: of length)? (?P<way>[<>]=) (?P<number>-?[0-9]+)"
)
_UNITS = {"array": " items", "str": " characters"}
#: U+0000. After another backslash these are six ordinary characters.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
#: Field names, each with its values.
Choices: TypeAlias = Mapping[str, Sequence[str]]


class BodyReader(Generic[T]):
    """Reads JSON bodies of one type."""

    def __init__(self, body_type: type[T]) -> None:
        # As text: a float would lose digits.
        decoder = msgspec.json.Decoder(body_type, dec_hook=_own_type, float_hook=str)
        self._decode = decoder.decode
        self._choices = choices_in(body_type)
        self._forms = forms_in(body_type)

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
            raise mismatch(error, self._choices, self._forms) from None
        except UnicodeDecodeError:
            raise MalformedBody(
                "the request body is not valid UTF-8, which JSON requires"
            ) from None
        except (msgspec.DecodeError, RecursionError):
            raise MalformedBody from None


def _own_type(kind: type, value: Any) -> Any:
    """Convert a value of a type that msgspec does not know: only `Number` needs it."""
    return number(value) if kind is Number else value


def refuse_repeated_names(body: bytes) -> None:
    """Check that no object of a body has a name twice. Raises BadParameter.

    Decoders disagree on which of the values counts. For an order this check would cost
    as much as the rest of its decoding, so orders take the last value.
    """
    try:
        _NAMES_ONCE.decode(body.decode())
    except (RecursionError, ValueError):
        raise MalformedBody from None


def _names_once(pairs: list[tuple[str, Any]]) -> None:
    names: set[str] = set()
    for name, _ in pairs:
        if name in names:
            raise BadParameter(f"{name} is in the request body twice", name)
        names.add(name)


_NAMES_ONCE = json.JSONDecoder(
    object_pairs_hook=_names_once, parse_int=str, parse_float=str
)


def mismatch(
    error: msgspec.ValidationError, choices: Choices, forms: Mapping[str, str]
) -> BadParameter:
    """Return the decoder's complaint as a sentence that names field and choices.

    >>> error = msgspec.ValidationError("Expected `str | null`, got `int` - at `$.a`")
    >>> mismatch(error, {}, {})
    BadParameter('a: expected text, got a whole number')
    >>> error = msgspec.ValidationError("Invalid enum value 'long' - at `$[0].side`")
    >>> mismatch(error, {"side": ["buy", "sell"]}, {})
    BadParameter('[0].side must be buy or sell')
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
    last = place.rpartition(".")[2]
    values = choices.get(last)
    if values and text.startswith(("Invalid enum value", "Expected `str")):
        return BadParameter(f"{place} must be {one_of(values)}", place)
    if "matching regex" in text and last in forms:
        return BadParameter(f"{place}: expected {forms[last]}", place)
    return BadParameter(f"{place or 'the body'}: {in_words(text)}", place or None)


def in_words(complaint: str) -> str:
    """Return a sentence of the decoder in the words of JSON, not of Python.

    Null stands for an omitted field here, so a type that allows it is not named twice.

    >>> in_words("Expected `int | null`, got `float`")
    'expected a whole number, got a number with decimals'
    >>> in_words("Expected `array` of length <= 2"), in_words("Expected `int` >= 1")
    ('expected a list of at most 2 items', 'expected a whole number of at least 1')
    """
    if "out of range" in complaint:
        return "the number is too large"
    text = _BOUND.sub(_bound_in_words, complaint.replace(" | null`", "`"))
    for kind, words in _WORDS.items():
        text = text.replace(f"`{kind}`", words)
    text = text.replace("`", "")
    return text[:1].lower() + text[1:]


def _bound_in_words(bound: re.Match[str]) -> str:
    unit = _UNITS.get(bound["kind"], "")
    if bound["number"] == "1":
        unit = unit.removesuffix("s")
    least = "least" if bound["way"] == ">=" else "most"
    return f"`{bound['kind']}` of at {least} {bound['number']}{unit}"


def check_encoding(headers: Mapping[bytes, bytes]) -> None:
    """Check that a body is not compressed. Raises EncodedBody."""
    encoding = headers.get(b"content-encoding")
    if encoding is not None and encoding.strip().lower() not in (b"", b"identity"):
        raise EncodedBody(encoding.decode("latin-1")[:40])


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
        check_encoding(headers)
        reader = self._readers[self.asgi_connection.route_handler.handler_id]
        body = reader.read(value)
        refuse_repeated_names(value)
        return body


def choices_in(body_type: Any) -> Choices:
    """Return the fields of a body that have only some values, nested ones too."""
    choices: dict[str, Sequence[str]] = {}
    for name, values in _fields(msgspec.inspect.type_info(body_type)):
        choices.setdefault(name, values)
    return choices


def forms_in(body_type: Any) -> Mapping[str, str]:
    """Return the fields of a body that have a description, each with its form."""
    info = msgspec.inspect.type_info(body_type)
    forms: dict[str, str] = {}
    for field in info.fields if isinstance(info, msgspec.inspect.StructType) else ():
        if isinstance(field.type, msgspec.inspect.Metadata):
            described = cast(Mapping[str, str], field.type.extra_json_schema or {})
            form = described.get("description", "")
            forms[field.encode_name] = form[:1].lower() + form[1:].rstrip(".")
    return forms


def values_of(annotation: Any) -> Sequence[str]:
    """Return the values that a type allows; none if it allows others."""
    return _values(msgspec.inspect.type_info(annotation))


def one_of(values: Sequence[str]) -> str:
    """Return the values as the end of a sentence.

    >>> one_of(["buy", "sell"]), one_of(["day"])
    ('buy or sell', 'day')
    """
    *others, last = values
    return f"{', '.join(others)} or {last}" if others else last


def _fields(info: msgspec.inspect.Type) -> Iterator[tuple[str, Sequence[str]]]:
    match info:
        case msgspec.inspect.StructType(fields=fields):
            for field in fields:
                values = _values(field.type)
                if values:
                    yield field.encode_name, values
                yield from _fields(field.type)
        case msgspec.inspect.UnionType(types=types):
            for each in types:
                yield from _fields(each)
        case (
            msgspec.inspect.ListType(item_type=item)
            | msgspec.inspect.VarTupleType(item_type=item)
        ):
            yield from _fields(item)
        case _:
            return


def _values(info: msgspec.inspect.Type) -> Sequence[str]:
    match info:
        case msgspec.inspect.Metadata(type=inner):
            return _values(inner)
        case msgspec.inspect.EnumType(cls=cls):
            return [str(each.value) for each in cls]
        case msgspec.inspect.LiteralType(values=values):
            return [str(each) for each in values]
        case msgspec.inspect.UnionType(types=types):
            return [value for each in types for value in _values(each)]
        case _:
            return ()
