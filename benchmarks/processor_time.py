"""Processor time by process: on two cores this is the cost of an order.

The rates on a shared machine depend on its other programs; processor time depends on
them far less. Once the cores are busy all the time, only less work per order raises the
rate.
"""

from collections.abc import Sequence
from pathlib import Path

import msgspec
import psutil


class ProcessorTime(msgspec.Struct, frozen=True):
    """Seconds of processor time by the process that used them."""

    by_name: dict[str, float]

    def __sub__(self, earlier: "ProcessorTime") -> "ProcessorTime":
        before = earlier.by_name
        return ProcessorTime(
            {n: s - before.get(n, 0.0) for n, s in self.by_name.items()}
        )

    def __add__(self, other: "ProcessorTime") -> "ProcessorTime":
        names = (*self.by_name, *(n for n in other.by_name if n not in self.by_name))
        mine, theirs = self.by_name, other.by_name
        return ProcessorTime({n: mine.get(n, 0.0) + theirs.get(n, 0.0) for n in names})

    def each(self, count: int) -> str:
        """Return a sentence with the microseconds per each of `count`."""
        shown = {n: s / count * 1e6 for n, s in self.by_name.items()}
        parts = ", ".join(f"{n} {each:.0f}" for n, each in shown.items() if each >= 0.5)
        return f"{sum(shown.values()):.0f} us of processor time each: {parts}"


def processor_time(server: int, services: Sequence[tuple[str, int]]) -> ProcessorTime:
    """Return the time of a server's loop, other threads, children and services so far.

    An embedded service is a child of the server that started it.
    """
    process = psutil.Process(server)
    times = _by_thread(process)
    loop = times.pop(server)
    used = {"loop": loop, "commit thread": sum(times.values())}
    own = {pid for _, pid in services}
    children = [each for each in process.children() if each.pid not in own]
    projectors = [each for each in children if is_projector(each)]
    others = [each for each in children if each not in projectors]
    used["projector"] = sum(map(_of_family, projectors))
    used["snapshots"] = sum(map(_of_family, others)) + _of_ended_children(process)
    for name, pid in services:
        service = psutil.Process(pid)
        used[name] = _of_family(service) + _of_ended_children(service)
    return ProcessorTime(used)


def is_projector(process: psutil.Process) -> bool:
    """Return whether a process is a projector, by its command line."""
    try:
        return any("projector" in part for part in process.cmdline())
    except psutil.NoSuchProcess:
        return False


def _of_family(process: psutil.Process) -> float:
    try:
        family = [process, *process.children(recursive=True)]
    except psutil.NoSuchProcess:
        return 0.0
    return sum(map(_of, family))


def _of(process: psutil.Process) -> float:
    try:
        return sum(_by_thread(process).values())
    except psutil.NoSuchProcess:
        return 0.0


def _by_thread(process: psutil.Process) -> dict[int, float]:
    """Return the seconds of each living thread by its id."""
    return {
        each.id: _precisely(process.pid, each.id, each.user_time + each.system_time)
        for each in process.threads()
    }


def _precisely(pid: int, thread: int, hundredths: float) -> float:
    """Return seconds from the scheduler's nanoseconds; psutil has only hundredths."""
    try:
        line = Path(f"/proc/{pid}/task/{thread}/schedstat").read_text()
    except OSError:
        # The thread has ended, or the system has no such statistics.
        return hundredths
    return int(line.split()[0]) / 1e9


def _of_ended_children(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.children_user + times.children_system
