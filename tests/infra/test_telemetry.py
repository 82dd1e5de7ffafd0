"""Log lines: structured, correlated, and without secrets or personal data."""

import io
import json
import logging
from collections.abc import Generator
from typing import Any

import pytest
import structlog

from infra.runtime.logging_setup import LogFormat, configure_logging
from infra.runtime.redaction import redacted, redacted_text


@pytest.fixture(autouse=True)
def logging_as_before() -> Generator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def configured(form: LogFormat = "json", level: str = "info") -> io.StringIO:
    stream = io.StringIO()
    configure_logging(form=form, level=level, stream=stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_with_level_time_and_logger():
    stream = configured()

    structlog.get_logger("bourse.writer").info("batch committed", rows=7)

    (line,) = lines(stream)
    assert line["event"] == "batch committed"
    assert line["rows"] == 7
    assert line["level"] == "info"
    assert line["logger"] == "bourse.writer"
    assert line["timestamp"].endswith("Z")


def test_the_correlation_id_is_on_every_line_of_its_context():
    stream = configured()

    with structlog.contextvars.bound_contextvars(correlation_id="c-1"):
        structlog.get_logger().info("inside")
        logging.getLogger("uvicorn.error").warning("inside too")
    structlog.get_logger().info("outside")

    assert [each.get("correlation_id") for each in lines(stream)] == [
        "c-1",
        "c-1",
        None,
    ]


def test_the_standard_library_takes_the_same_way():
    stream = configured()

    logging.getLogger("some.package").warning("lost %s", "the line", extra={"tries": 3})

    (line,) = lines(stream)
    assert line["event"] == "lost the line"
    assert line["logger"] == "some.package"
    assert line["tries"] == 3


def test_lines_below_the_level_are_not_written():
    stream = configured(level="warning")

    structlog.get_logger().info("too quiet")
    logging.getLogger("litestar").info("too quiet")

    assert stream.getvalue() == ""


@pytest.mark.parametrize("level", ["debug", "info"])
def test_other_libraries_write_only_what_matters(level: str):
    stream = configured(level=level)

    structlog.get_logger().debug("ours")
    for name in ("uvicorn.error", "litestar", "asyncio"):
        logging.getLogger(name).debug("theirs")
        logging.getLogger(name).info("theirs")
        logging.getLogger(name).warning("matters")

    events = [each["event"] for each in lines(stream)]
    assert events == ["ours"] * (level == "debug") + ["matters"] * 3


def test_a_terminal_gets_a_readable_line_and_a_file_json():
    terminal = Terminal()

    configure_logging(form="auto", stream=terminal)
    structlog.get_logger().info("ready", port=8000)

    assert "ready" in terminal.getvalue()
    assert not terminal.getvalue().startswith("{")

    stream = configured("auto")
    structlog.get_logger().info("ready")
    assert lines(stream)[0]["event"] == "ready"


@pytest.mark.parametrize("form", ["json", "console"])
def test_a_traceback_is_in_the_line_without_its_secrets(form: LogFormat):
    stream = configured(form)
    problem = "cannot reach postgresql://bourse:hunter2@db:5432/bourse"

    try:
        raise ConnectionError(problem)
    except ConnectionError:
        structlog.get_logger().exception("gone")

    assert "ConnectionError" in stream.getvalue()
    assert "db:5432" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()


@pytest.mark.parametrize(
    "name",
    [
        "password",
        "Authorization",
        "access_token",
        "BOURSE_SECRET_KEY",
        "APCA-API-SECRET-KEY",
        "stripe_api_key",
        "Set-Cookie",
        "email",
        "full_name",
    ],
)
def test_a_value_is_hidden_by_its_name_at_any_depth(name: str):
    assert redacted({"a": [{name: "hunter2"}]}) == {"a": [{name: "***"}]}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://:hunter2@host:6379/0", "redis://***@host:6379/0"),
        ("postgresql://u:p%40@h/d?x=1", "postgresql://***@h/d?x=1"),
        ("sent Bearer abc.def-g", "sent Bearer ***"),
        ("token eyJhbGc.eyJzdWI.c2ln here", "token *** here"),
        ("hash $argon2id$v=19$m=1$abc$def", "hash ***"),
        ("ann.lee+x@mail.example.com came", "*** came"),
        ("10 @ 100.02", "10 @ 100.02"),
        ("http://127.0.0.1:8000/v2/orders", "http://127.0.0.1:8000/v2/orders"),
    ],
)
def test_a_secret_is_hidden_by_its_form(text: str, shown: str):
    assert redacted_text(text) == shown


def test_what_is_no_text_is_kept_or_shown_by_its_representation():
    assert redacted({"n": 1, "none": None, "yes": True, "b": b"body"}) == {
        "n": 1,
        "none": None,
        "yes": True,
        "b": "***",
    }
    assert redacted([ValueError("a@b.cd")]) == ["ValueError('***')"]
