"""Configures structured, correlated log lines without secrets.

Every process writes one JSON object per line to standard error, or a readable line if
that is a terminal. Lines of the standard library's loggers (uvicorn, psycopg, Litestar)
pass through the same processors.

The edge binds the correlation id once, and every line of the request carries it:
`structlog.contextvars.bound_contextvars(correlation_id=...)`.
"""

import logging
import sys
from typing import Literal, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from infra.runtime.redaction import redacted, redacted_text

LogFormat = Literal["auto", "json", "console"]

# Their routine lines help only those who debug these libraries.
QUIET_LOGGERS = ("asyncio", "httpx", "httpcore", "hpack")

_line_encoder = msgspec.json.Encoder(enc_hook=repr)


def configure_logging(
    *, form: LogFormat = "auto", level: str = "info", stream: TextIO | None = None
) -> None:
    """Route every log line of this process through these processors."""
    output: TextIO = sys.stderr if stream is None else stream
    readable = form == "console" or (form == "auto" and output.isatty())
    handler = logging.StreamHandler(output)
    handler.setFormatter(_formatter(readable=readable))
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
    for name in QUIET_LOGGERS:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
    logging.captureWarnings(True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )


def _formatter(*, readable: bool) -> logging.Formatter:
    renderer: Processor
    if readable:
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(exception_formatter=plain)
    else:
        renderer = structlog.processors.JSONRenderer(serializer=_line)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _without_colors,
            # Redact after this, so that a traceback is text by then.
            structlog.processors.format_exc_info,
            redact,
            renderer,
        ],
    )


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _without_colors(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Drop uvicorn's second form of each message, which is for a terminal."""
    line.pop("color_message", None)
    return line


def redact(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """Hide secrets and personal data, whichever logger wrote the line."""
    hidden = cast(EventDict, redacted(line))
    # `event` is the message: its text may contain secrets, its name is harmless.
    hidden["event"] = redacted_text(str(line.get("event", "")))
    return hidden


def _line(line: EventDict, **_options: object) -> str:
    # The message first: readers look for it in a long line.
    ordered = {"event": line.pop("event", ""), **line}
    return _line_encoder.encode(ordered).decode()
