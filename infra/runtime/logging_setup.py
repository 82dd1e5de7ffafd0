"""Configures structured, correlated log lines without secrets.

Every process writes one JSON object per line to standard error, or a readable line if
that is a terminal. Warnings of other libraries (uvicorn, psycopg, Litestar) pass
through the same processors. Their routine lines do not: those help only their authors.

The edge binds the correlation id once, and every line of the request carries it:
`structlog.contextvars.bound_contextvars(correlation_id=...)`.
"""

import logging
import sys
from typing import Literal, TextIO, cast

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from infra.runtime.line_writer import LineWriter
from infra.runtime.redaction import redacted, redacted_text

LogFormat = Literal["auto", "json", "console"]

#: How long a process that ends waits for the reader of its lines.
LAST_LINES_SECONDS = 1.0

_line_encoder = msgspec.json.Encoder(enc_hook=repr)


def is_readable(form: LogFormat, stream: TextIO) -> bool:
    """Return whether lines for this stream are for a person, not JSON."""
    return form == "console" or (form == "auto" and stream.isatty())


def configure_logging(
    *,
    form: LogFormat = "auto",
    level: str = "info",
    stream: TextIO | None = None,
    writer: LineWriter | None = None,
) -> None:
    """Route every log line of this process through these processors.

    The lines go to `writer` if there is one, else straight to the stream.
    """
    output: TextIO = sys.stderr if stream is None else stream
    handler = logging.StreamHandler(output) if writer is None else _Handler(writer)
    handler.setFormatter(_formatter(readable=is_readable(form, output)))
    handler.addFilter(_is_ours_or_matters)
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level.upper())
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


def write_in_background(*, form: LogFormat, level: str) -> LineWriter:
    """Configure the log of a process that must not wait for the reader of its lines."""
    writer = LineWriter(sys.stderr.fileno())
    configure_logging(form=form, level=level, writer=writer)
    return writer


class _Handler(logging.StreamHandler[LineWriter]):
    def close(self) -> None:
        """Write the last lines. `logging.shutdown` calls this when the process ends."""
        self.stream.drain(LAST_LINES_SECONDS)
        super().close()


def _is_ours_or_matters(record: logging.LogRecord) -> bool:
    # Only structlog, which only we use, passes a mapping.
    return isinstance(record.msg, dict) or record.levelno >= logging.WARNING


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
