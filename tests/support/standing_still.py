"""Processes that stand still for a while, as a frozen machine or a full disk does."""

import signal
from collections.abc import Generator
from contextlib import contextmanager, suppress

import psutil


@contextmanager
def standing_still(pid: int, *, alone: bool = False) -> Generator[None]:
    """Stop a process and its children with SIGSTOP, until the block ends.

    A server has its embedded servers among its children; `alone` lets them go on.
    """
    parent = psutil.Process(pid)
    # The parent first, so that it starts no other child meanwhile.
    parent.send_signal(signal.SIGSTOP)
    processes = [parent, *([] if alone else parent.children(recursive=True))]
    for each in processes:
        _send(each, signal.SIGSTOP)
    try:
        yield
    finally:
        for each in processes:
            _send(each, signal.SIGCONT)


def _send(process: psutil.Process, number: signal.Signals) -> None:
    # A backend of Postgres lives for one query.
    with suppress(psutil.NoSuchProcess):
        process.send_signal(number)
