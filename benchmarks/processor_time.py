"""Who used the processors for how long: on two cores that is what every order costs.

The rates of a shared machine change with what else runs on it; processor time does so
far less. Where the sum of an order's times is more than the cores have in a second, no
waiting can be saved any more, only work.
"""

from collections.abc import Sequence

import msgspec
import psutil


class Used(msgspec.Struct, frozen=True):
    """Seconds of processor time by who used them."""

    by_name: dict[str, float]

    def __sub__(self, earlier: "Used") -> "Used":
        before = earlier.by_name
        return Used({n: s - before.get(n, 0.0) for n, s in self.by_name.items()})

    def __add__(self, other: "Used") -> "Used":
        names = (*self.by_name, *(n for n in other.by_name if n not in self.by_name))
        mine, theirs = self.by_name, other.by_name
        return Used({n: mine.get(n, 0.0) + theirs.get(n, 0.0) for n in names})

    def each(self, count: int) -> str:
        """As a sentence: microseconds for each of `count`."""
        shown = {n: s / count * 1e6 for n, s in self.by_name.items()}
        parts = ", ".join(f"{n} {each:.0f}" for n, each in shown.items() if each >= 0.5)
        return f"{sum(shown.values()):.0f} us of processor time each: {parts}"


def used_until_now(server: int, services: Sequence[tuple[str, int]]) -> Used:
    """By a server's loop and its other threads, its children, and its services."""
    process = psutil.Process(server)
    times = {each.id: each.user_time + each.system_time for each in process.threads()}
    loop = times.pop(server)
    found = {"server": loop, "its commit thread": sum(times.values())}
    children = process.children(recursive=True)
    projectors = [each for each in children if is_projector(each)]
    others = [each for each in children if each not in projectors]
    found["projector"] = sum(map(_of, projectors))
    found["snapshots"] = sum(map(_of, others)) + _of_ended_children(process)
    for name, pid in services:
        service = psutil.Process(pid)
        own = sum(map(_of, (service, *service.children(recursive=True))))
        found[name] = own + _of_ended_children(service)
    return Used(found)


def is_projector(process: psutil.Process) -> bool:
    try:
        return "infra.server.projector" in process.cmdline()
    except psutil.NoSuchProcess:
        return False


def _of(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return times.user + times.system


def _of_ended_children(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.children_user + times.children_system
