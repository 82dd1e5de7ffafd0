"""No reader of the log stalls the process that writes it."""

import json
import logging
import os
import select
import threading
from collections.abc import Generator

import pytest
import structlog

from infra.runtime.line_writer import LineWriter
from infra.runtime.logging_setup import configure_logging
from tests.support.server_process import wait_until

SECONDS = 30.0
LINE = "x" * 199 + "\n"


@pytest.fixture
def pipe() -> Generator[tuple[int, int]]:
    """Yield both ends of a pipe that nobody reads; the second one is for writing."""
    reading, writing = os.pipe()
    yield reading, writing
    for end in (reading, writing):
        try:
            os.close(end)
        except OSError:
            continue


@pytest.fixture(autouse=True)
def logging_as_before() -> Generator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.captureWarnings(False)
    structlog.reset_defaults()


def read_all(end: int) -> bytes:
    """Return what is in a pipe."""
    text = b""
    while select.select([end], [], [], 0)[0]:
        text += os.read(end, 1 << 20)
    return text


def test_lines_that_nobody_reads_are_dropped_and_counted(pipe: tuple[int, int]):
    reading, writing = pipe
    writer = LineWriter(writing, lines_max=1_000)
    configure_logging(form="json", writer=writer)

    # A pipe holds 64 KiB: the writer's thread waits, and 1,000 lines wait with it.
    for _ in range(3_000):
        writer.write(LINE)
    dropped = writer.dropped

    assert dropped > 1_000
    text = b""

    def told() -> bool:
        nonlocal text
        text += read_all(reading)
        return b"log_lines_dropped" in text

    wait_until("the log says so", told, SECONDS)
    *lines, report = text.decode().splitlines()
    assert lines == [LINE.strip()] * (3_000 - dropped)
    assert json.loads(report)["since_the_start"] == dropped


def test_lines_of_two_processes_do_not_mix_in_a_pipe(pipe: tuple[int, int]):
    reading, writing = pipe
    writers = [LineWriter(writing), LineWriter(writing)]

    for writer, sign in zip(writers, (b"a", b"b"), strict=True):
        for _ in range(20):
            writer.offer(100, lambda sign=sign: (sign * 99 + b"\n") * 100)
    lines: list[bytes] = []
    rest = b""

    def all_read() -> bool:
        nonlocal rest
        *whole, rest = (rest + read_all(reading)).split(b"\n")
        lines.extend(whole)
        return len(lines) == 4_000

    wait_until("all lines", all_read, SECONDS)
    assert sorted(set(lines)) == [b"a" * 99, b"b" * 99]


def test_a_reader_that_is_gone_costs_the_lines_and_nothing_else(pipe: tuple[int, int]):
    reading, writing = pipe
    writer = LineWriter(writing)
    configure_logging(form="json", writer=writer)
    os.close(reading)

    for _ in range(10):
        writer.write(LINE)
    writer.drain(SECONDS)

    assert writer.dropped == 10
    # It does not report the loss to a reader that is gone, again and again.
    assert threading.active_count() < 50
    writer.write(LINE)
    writer.drain(SECONDS)
    assert writer.dropped == 11


def test_a_line_longer_than_a_write_is_written_whole(pipe: tuple[int, int]):
    reading, writing = pipe
    writer = LineWriter(writing)

    writer.write("short\n")
    writer.write("y" * 20_000 + "\n")
    writer.write("\udcff\n")
    writer.drain(SECONDS)

    assert read_all(reading) == b"short\n" + b"y" * 20_000 + b"\n\\udcff\n"
