"""Hides secret and personal values in log lines.

A value is hidden if its name marks it as secret or personal, at any depth. Other texts
lose the forms that give secrets away: passwords in URLs, bearer and signed tokens,
e-mail addresses.

>>> redacted({"user": {"password": "hunter2"}, "url": "redis://:word@host/0"})
{'user': {'password': '***'}, 'url': 'redis://***@host/0'}
"""

import re
from collections.abc import Mapping, Sequence, Set
from typing import cast

HIDDEN = "***"

# Matches within names too, such as `stripe_api_key` and `old-password`.
SECRET_NAMES = re.compile(
    r"password|passwd|secret|token|authorization|api_?key|private_?key|cookie"
    r"|credential|signature|e_?mail|full_?name|phone|birth",
    re.IGNORECASE,
)
FORMS = (
    # The part of a URL before the host.
    (re.compile(r"://[^/\s@]+@"), f"://{HIDDEN}@"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]+", re.IGNORECASE), rf"\1 {HIDDEN}"),
    # A signed token (three parts in base64) or an Argon2 hash.
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]+"), HIDDEN),
    (re.compile(r"\$argon2\w*\$\S+"), HIDDEN),
    (re.compile(r"[\w.+%-]+@[\w-]+(\.[\w-]+)+"), HIDDEN),
)


def redacted(value: object) -> object:
    """Return the value without secrets."""
    match value:
        case str():
            return redacted_text(value)
        case Mapping():
            items = cast(Mapping[object, object], value).items()
            return {name: _named(name, each) for name, each in items}
        case bytes() | bytearray() | memoryview():
            # Bytes are bodies and keys, which nobody reads in a log.
            return HIDDEN
        case Sequence() | Set():
            return [redacted(each) for each in cast(Sequence[object], value)]
        case None | bool() | int() | float():
            return value
        case other:
            return redacted_text(repr(other))


def redacted_text(text: str) -> str:
    """Return the text without secrets of a recognizable form."""
    for form, replacement in FORMS:
        text = form.sub(replacement, text)
    return text


def _named(name: object, value: object) -> object:
    if SECRET_NAMES.search(str(name).replace("-", "_")) and value is not None:
        return HIDDEN
    return redacted(value)
