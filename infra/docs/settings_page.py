"""Generates docs/SETTINGS.md and .env.example from the settings.

`python -m infra.docs.settings_page` writes both; a test fails if one is stale.
"""

from pathlib import Path
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin
from zoneinfo import ZoneInfo

from msgspec import Meta

from infra.runtime.address_ranges import AddressRanges
from infra.runtime.settings import Variable, variables

ROOT = Path(__file__).parents[2]
PAGE = Path("docs/SETTINGS.md")
EXAMPLE = Path(".env.example")

TYPE_WORDS: dict[object, str] = {
    bool: "1 or 0",
    int: "whole number",
    str: "text",
    Path: "path",
    ZoneInfo: "time zone",
    AddressRanges: "addresses",
}


#: Variables that compose.yaml requires in addition.
OF_COMPOSE = {"POSTGRES_PASSWORD": "", "REDIS_PASSWORD": ""}


def settings_page() -> str:
    """Return the settings as a Markdown page."""
    rows = "\n".join(_row(each) for each in variables())
    return f"""# Settings

Every process of Bourse reads its settings from environment variables, and only from
there. A wrong value stops the process at its start; the message names every wrong
variable at once. An empty value counts as unset. `make catalog` generates this page
from `infra/runtime/settings.py`.

| variable | type | default | meaning |
| --- | --- | --- | --- |
{rows}

`compose.yaml` also requires `POSTGRES_PASSWORD`, `REDIS_PASSWORD` and
`BOURSE_SECRET_KEY`. They have no defaults, and compose does not start without them.

The tests ignore `DATABASE_URL` and `REDIS_URL`: they start separate servers in a
temporary folder and remove them at the end.
"""


def environment_example() -> str:
    """Return the settings as an environment file whose lines are commented out."""
    heading = (
        "# docker compose reads such lines from a file .env next to compose.yaml. All\n"
        "# other programs read only their environment. See docs/SETTINGS.md.\n"
    )
    names = {each.name: _default(each) for each in variables()}
    lines = [f"# {name}={value}" for name, value in (names | OF_COMPOSE).items()]
    return heading + "\n".join(lines) + "\n"


def _row(variable: Variable) -> str:
    default = _default(variable)
    shown = f"`{default}`" if default else "unset"
    kind = _kind(variable.type_)
    return f"| `{variable.name}` | {kind} | {shown} | {variable.sentence} |"


def _default(variable: Variable) -> str:
    match variable.default:
        case None:
            return ""
        case bool() as flag:
            return str(int(flag))
        case other:
            return str(other)


def _kind(annotated: object) -> str:
    origin, parts = get_origin(annotated), get_args(annotated)
    if origin is Annotated:
        bounds = [each for each in parts[1:] if isinstance(each, Meta)]
        return _kind(parts[0]) + "".join(_bounds(each) for each in bounds)
    if origin in (Union, UnionType):
        present = [each for each in parts if each is not type(None)]
        return " or ".join(_kind(each) for each in present)
    if origin is Literal:
        return ", ".join(f"`{each}`" for each in parts)
    return TYPE_WORDS[annotated]


def _bounds(meta: Meta) -> str:
    match meta.ge, meta.le:
        case None, None:
            return ""
        case low, None:
            return f", from {low:,}"
        case low, high:
            return f", {low or 0:,} to {high:,}"


def main() -> None:
    """Write both files."""
    (ROOT / PAGE).parent.mkdir(exist_ok=True)
    (ROOT / PAGE).write_text(settings_page(), encoding="utf-8")
    (ROOT / EXAMPLE).write_text(environment_example(), encoding="utf-8")


if __name__ == "__main__":
    main()
