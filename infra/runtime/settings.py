"""The settings of a process, read from environment variables.

Each field carries its documentation and its bounds, so docs/SETTINGS.md, .env.example
and the check at the start cannot disagree.

>>> read_settings({"BOURSE_PORT": "8001"}).port
8001
"""

import os
from collections.abc import Callable, Mapping
from datetime import tzinfo
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, cast, get_args, get_origin
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
from msgspec import Meta, Struct, field

from infra.runtime.address_ranges import AddressRanges

DATABASE_URL_PATTERN = r"^postgres(ql)?://."
REDIS_URL_PATTERN = r"^(rediss?|unix)://."

#: Variables that the command line and the tests read by themselves.
OF_OTHERS = ("BOURSE_TOKEN", "BOURSE_TEST_HOME")

# No representation, log line or error shows a secret.
SECRET = {"secret": True}


class SettingsError(Exception):
    """Some environment variables are wrong, so the process does not start."""

    code = "settings-wrong"

    def __init__(self, reasons: Mapping[str, str]) -> None:
        self.reasons = dict(reasons)
        lines = [f"  {name}: {reason}" for name, reason in self.reasons.items()]
        heading = "These environment variables are wrong:"
        super().__init__("\n".join([heading, *lines]))


def _variable_name(name: str) -> str:
    return f"BOURSE_{name.upper()}"


class Settings(Struct, frozen=True, kw_only=True, rename=_variable_name):
    """The settings of one process of Bourse."""

    home: Annotated[
        Path,
        Meta(
            description="Folder of this installation: the embedded servers' data, "
            "`run.json` and `demo.json`. Relative to the working directory. If root "
            "starts the server, another account runs Postgres; if that account cannot "
            "enter the folder, its data is under `/var/lib/bourse`."
        ),
    ] = Path(".bourse")
    host: Annotated[
        str, Meta(min_length=1, description="Address the HTTP server listens on.")
    ] = "127.0.0.1"
    port: Annotated[
        int, Meta(ge=1, le=65535, description="Port the HTTP server listens on.")
    ] = 8000
    demo: Annotated[
        bool,
        Meta(
            description="Whether a server that starts on a log without markets seeds "
            "some, with funded traders, and writes `demo.json`."
        ),
    ] = True
    database_url: Annotated[
        Annotated[str, Meta(pattern=DATABASE_URL_PATTERN)] | None,
        Meta(
            description="URL of the Postgres that holds the log. Unset: an embedded "
            "server under `BOURSE_HOME`.",
            extra=SECRET,
        ),
    ] = field(name="DATABASE_URL", default=None)
    redis_url: Annotated[
        Annotated[str, Meta(pattern=REDIS_URL_PATTERN)] | None,
        Meta(
            description="URL of the Redis that holds the read models. Unset: an "
            "embedded server under `BOURSE_HOME`.",
            extra=SECRET,
        ),
    ] = field(name="REDIS_URL", default=None)
    secret_key: Annotated[
        Annotated[str, Meta(min_length=32)] | None,
        Meta(
            description="Secret that signs tokens and guards personal data, at least "
            "32 characters. Unset: the first start generates one and stores it in the "
            "database, so that every server of the database uses the same.",
            extra=SECRET,
        ),
    ] = None
    token_minutes: Annotated[
        int,
        Meta(ge=1, le=43_200, description="How long a login stays valid, in minutes."),
    ] = 720
    market_timezone: Annotated[
        ZoneInfo,
        Meta(
            description="Time zone of the venue, as an IANA name. At its midnight the "
            "day rolls and day orders expire."
        ),
    ] = ZoneInfo("UTC")
    queue_limit: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="Commands that may wait for the writer. The server answers "
            "further commands with 503 and `Retry-After`.",
        ),
    ] = 20_000
    body_limit: Annotated[
        int,
        Meta(
            ge=65_536,
            le=67_108_864,
            description="Largest accepted request body, in bytes. A batch of 500 "
            "orders takes about 150,000.",
        ),
    ] = 1_048_576
    connections: Annotated[
        Annotated[int, Meta(ge=16, le=1_000_000)] | None,
        Meta(
            description="HTTP connections that may be open at once; a further one gets "
            "503. Unset: 4,096. The limit of open files, less 128, is the most; the "
            "server raises that limit as far as the system allows."
        ),
    ] = None
    connections_per_address: Annotated[
        int,
        Meta(
            ge=1,
            le=1_000_000,
            description="HTTP connections that one address may have open at once, at "
            "most half of `BOURSE_CONNECTIONS`; a further one gets 429. Behind a "
            "reverse proxy all clients have the address of the proxy: name it in "
            "`BOURSE_UNLIMITED_ADDRESSES`, and let the proxy bound each client.",
        ),
    ] = 256
    requests_per_address: Annotated[
        int,
        Meta(
            ge=1,
            le=100_000,
            description="Requests of one address that the server answers at the same "
            "time; further ones wait for their turn. It keeps one client from delaying "
            "all others. One request may have many orders.",
        ),
    ] = 8
    unlimited_addresses: Annotated[
        AddressRanges,
        Meta(
            description="Addresses and networks without a limit per address, separated "
            "by commas, or `none`: proxies, and clients that trade a lot. "
            "`BOURSE_CONNECTIONS` counts their connections too."
        ),
    ] = AddressRanges("127.0.0.0/8")
    snapshot_every: Annotated[
        int,
        Meta(
            ge=1_000,
            description="Events between two snapshots of the writer. Fewer make a "
            "restart faster and cost more work while the server runs.",
        ),
    ] = 250_000
    log_format: Annotated[
        Literal["auto", "json", "console"],
        Meta(
            description="Form of the log lines on standard error: `json`, `console`, "
            "or `auto`, which is `console` on a terminal and `json` elsewhere."
        ),
    ] = "auto"
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="Lowest severity of the log lines that are written."),
    ] = "info"
    access_log: Annotated[
        bool,
        Meta(
            description="Whether the server writes one line for each request, at the "
            "level `info`."
        ),
    ] = True
    metrics_token: Annotated[
        Annotated[str, Meta(min_length=16)] | None,
        Meta(
            description="Token that Prometheus sends to read `/metrics`, at least 16 "
            "characters. Unset: programs on this machine need none. An administrator "
            "may always read.",
            extra=SECRET,
        ),
    ] = None
    orderflow: Annotated[
        Path | None,
        Meta(
            description="Folder of the recorded order flows `aapl.jsonl.zst` and "
            "`goog.jsonl.zst`. Only tests and proofs use it."
        ),
    ] = None

    def __repr__(self) -> str:
        shown = (
            f"{each.attribute}="
            + ("<hidden>" if each.secret else repr(getattr(self, each.attribute)))
            for each in variables()
        )
        return f"Settings({', '.join(shown)})"


class Variable(Struct, frozen=True):
    """One environment variable: its name, type, default and documentation."""

    name: str
    attribute: str
    type_: object
    default: object
    sentence: str
    secret: bool


def variables() -> tuple[Variable, ...]:
    """Return every variable, in the order of the struct's fields."""
    declared: list[Variable] = []
    for each in msgspec.structs.fields(Settings):
        meta = _documentation(each.type)
        declared.append(
            Variable(
                name=each.encode_name,
                attribute=each.name,
                type_=each.type,
                default=each.default,
                sentence=meta.description or "",
                secret=bool((meta.extra or {}).get("secret")),
            )
        )
    return tuple(declared)


def _documentation(annotated: object) -> Meta:
    metas = [each for each in get_args(annotated)[1:] if isinstance(each, Meta)]
    described = [each for each in metas if each.description]
    assert get_origin(annotated) is Annotated
    assert described, f"{annotated} has no sentence"
    return described[-1]


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Return the settings.

    An empty value counts as unset, because compose files and shells cannot leave a
    variable out.

    Raises:
        SettingsError: names every wrong variable.
    """
    source = os.environ if environment is None else environment
    values: dict[str, object] = {}
    reasons: dict[str, str] = {}
    for variable in variables():
        text = source.get(variable.name, "").strip()
        if not text:
            continue
        try:
            values[variable.attribute] = _convert(text, variable)
        except msgspec.ValidationError as error:
            shown = "" if variable.secret else f", not {text!r}"
            reasons[variable.name] = f"{_sentence(error, variable)}{shown}"
    if reasons:
        raise SettingsError(reasons)
    # The loop above has converted each field; the struct only gathers them.
    return cast(Callable[..., Settings], Settings)(**values)


def unknown_variables(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return each unknown `BOURSE_` variable with the most similar known one.

    The similar one is an empty text if there is none.

    >>> unknown_variables({"BOURSE_PROT": "8001", "PATH": "/bin"})
    {'BOURSE_PROT': 'BOURSE_PORT'}
    """
    source = os.environ if environment is None else environment
    known = [*(each.name for each in variables()), *OF_OTHERS]
    return {
        name: next(iter(get_close_matches(name, known, n=1, cutoff=0.8)), "")
        for name in source
        if name.startswith("BOURSE_") and name not in known
    }


def _convert(text: str, variable: Variable) -> object:
    return msgspec.convert(
        text, cast(Any, variable.type_), strict=False, dec_hook=_from_text
    )


def _from_text(target: type, value: object) -> object:
    if issubclass(target, Path):
        return Path(str(value)).expanduser()
    if issubclass(target, AddressRanges):
        try:
            return AddressRanges(str(value))
        except ValueError as error:
            raise ValueError(
                "Expected addresses or networks, like 10.0.0.1,10.1.0.0/16, or none"
            ) from error
    assert issubclass(target, tzinfo)
    try:
        return ZoneInfo(str(value))
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("Expected the name of a time zone, like UTC") from error


# msgspec's words for an error, and ours.
SENTENCES = {
    DATABASE_URL_PATTERN: "Expected a URL like postgresql://user@host:5432/name",
    REDIS_URL_PATTERN: "Expected a URL like redis://host:6379/0",
    "Expected `bool`, got": "Expected 1 or 0",
    "Expected `int`, got": "Expected a whole number",
}


def _sentence(error: msgspec.ValidationError, variable: Variable) -> str:
    kind = variable.type_
    if get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    if get_origin(kind) is Literal:
        return f"Expected one of: {', '.join(get_args(kind))}"
    for part, sentence in SENTENCES.items():
        if part in str(error):
            return sentence
    return str(error).replace("`str`", "text").replace("`", "")
