"""The assignment of processes to cores.

With `free` the system decides; the targets refer to these figures. With `apart` the
server process has one core, and all other processes share the others.
"""

import os
from enum import StrEnum

import psutil


class Pinning(StrEnum):
    FREE = "free"
    APART = "apart"


def pin(pinning: Pinning, *, server: int, others: list[int]) -> None:
    """Pin a server and the other processes, with their threads and children."""
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
