"""Which processes run on which cores, and what that is called in a table.

`free` leaves it to the system, and is what the figures are taken with. `apart` gives
the server's process one core, and everything else the others.
"""

import os
from enum import StrEnum

import psutil


class Pinning(StrEnum):
    FREE = "free"
    APART = "apart"


def pin(pinning: Pinning, *, server: int, others: list[int]) -> None:
    """Put a server and the rest, their threads and children, where they belong."""
    cores = sorted(os.sched_getaffinity(0))
    if pinning is Pinning.FREE or len(cores) < 2:
        return
    for pid in _with_children(server):
        _pin(pid, {cores[0]} if pid == server else set(cores[1:]))
    for other in others:
        for pid in _with_children(other):
            _pin(pid, set(cores[1:]))


def _with_children(pid: int) -> list[int]:
    process = psutil.Process(pid)
    return [pid, *(child.pid for child in process.children(recursive=True))]


def _pin(pid: int, cores: set[int]) -> None:
    for thread in psutil.Process(pid).threads():
        os.sched_setaffinity(thread.id, cores)
