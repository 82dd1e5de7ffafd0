"""Ids and symbols as clients spell them, turned into the one form that Bourse stores.

>>> uuid_text("{0190D6F5-71A0-7C3A-9C5D-6B5D3E0F7A11}", "order_id")
'0190d6f5-71a0-7c3a-9c5d-6b5d3e0f7a11'
>>> instrument_name("acme")
'ACME'
"""

import re
from collections.abc import Callable, Mapping, MutableMapping

from api.http.request_errors import BadParameter
from domain.ids import AssetId, Symbol

_UUID = re.compile(
    r"(?:urn:uuid:|\{)?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?"
    r"([0-9a-f]{12})\}?",
    re.ASCII | re.IGNORECASE,
)
#: Every symbol is shorter, every spelling of a UUID is at least this long.
UUID_LENGTH_MIN = 32


def uuid_text(text: str, field: str) -> str:
    """Return a UUID in lower case with hyphens, whatever its spelling.

    Raises:
        BadParameter: the text is not a UUID.
    """
    match = _UUID.fullmatch(text)
    if match is None:
        raise BadParameter(f"{field} must be a UUID", field)
    return "-".join(match.groups()).lower()


def instrument_name(text: str, field: str = "symbol") -> Symbol | AssetId:
    """Return a symbol in capitals, or an asset id as a UUID in lower case.

    Raises:
        BadParameter: the text is too long for a symbol and is not a UUID.
    """
    if len(text) < UUID_LENGTH_MIN:
        return Symbol(text.upper())
    match = _UUID.fullmatch(text)
    if match is None:
        raise BadParameter(f"{field} must be a symbol or an asset id", field)
    return AssetId("-".join(match.groups()).lower())


#: The form of each parameter in a path.
FORMS: Mapping[str, Callable[[str, str], str]] = {
    "account_id": uuid_text,
    "order_id": uuid_text,
    "symbol": instrument_name,
    "user_id": uuid_text,
}


def normalize_path(parameters: MutableMapping[str, str]) -> None:
    """Turn the parameters of a path into their stored form.

    Raises:
        BadParameter: an id is malformed.
    """
    for name, value in parameters.items():
        form = FORMS.get(name)
        if form is not None:
            parameters[name] = form(value, name)
