"""One attack and its figures: the server's memory, and the patience it costs others."""

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import msgspec

from benchmarks.attack.patient import Patience, be_patient
from benchmarks.attack.target import MemoryWatch, Target, Victim

GROWTH_MB_MAX = 50
P99_MS_MAX = 100
STOP_SECONDS_MAX = 10
WARM_SECONDS = 2.0
#: The attacker goes on for this long at most, while the server stops.
OVERTIME_SECONDS = 60.0
PREPARATION_SECONDS = 120.0

_processes = multiprocessing.get_context("spawn")


class Attack(msgspec.Struct, frozen=True):
    """One attack, the limit of open files for its server, and what happens before."""

    run: Callable[[Target, float], None]
    files: int | None = None
    before: Callable[[Target, float], None] | None = None


class Outcome(msgspec.Struct, frozen=True):
    """The figures of one attack."""

    name: str
    growth_mb: float
    p50_ms: float
    p99_ms: float
    failures: Sequence[str]
    stop_seconds: float

    @property
    def broken(self) -> list[str]:
        """Return the bounds that are broken."""
        bounds = {
            "memory": self.growth_mb >= GROWTH_MB_MAX,
            "p99": self.p99_ms >= P99_MS_MAX,
            f"{len(self.failures)} failed": bool(self.failures),
            "stop": self.stop_seconds >= STOP_SECONDS_MAX,
        }
        return [name for name, is_broken in bounds.items() if is_broken]

    def cells(self) -> list[str]:
        return [
            self.name,
            f"{self.growth_mb:.1f}",
            f"{self.p50_ms:.1f}",
            f"{self.p99_ms:.1f}",
            f"{self.stop_seconds:.1f}",
            ", ".join(self.broken) or "holds",
        ]


def measure(name: str, attack: Attack, victim: Victim, seconds: float) -> Outcome:
    """Attack a server, with a patient client alongside, and end it meanwhile."""
    target = victim.target()
    if attack.before is not None:
        attack.before(target, time.monotonic() + PREPARATION_SECONDS)
    _patience(target, WARM_SECONDS)
    with MemoryWatch(victim.process.pid) as memory:
        deadline = time.monotonic() + seconds + OVERTIME_SECONDS
        attacker = _processes.Process(
            target=_attack_aside, args=(attack.run, target, deadline)
        )
        attacker.start()
        patience = _patience(target, seconds)
    if not attacker.is_alive():
        raise RuntimeError(f"the attacker gave up: {name}")
    stop_seconds = victim.end()
    attacker.kill()
    attacker.join()
    ordered = sorted(patience.latencies)
    return Outcome(
        name,
        memory.growth_mb,
        ordered[len(ordered) // 2] * 1_000,
        ordered[len(ordered) * 99 // 100] * 1_000,
        patience.failures,
        stop_seconds,
    )


def _attack_aside(
    run: Callable[[Target, float], None], target: Target, deadline: float
) -> None:
    """Attack at the lowest priority: an attacker elsewhere takes no processor here."""
    os.nice(19)
    # The server ends before the attacker does.
    with suppress(ConnectionError):
        run(target, deadline)


def _patience(target: Target, seconds: float) -> Patience:
    receiving, sending = _processes.Pipe(duplex=False)
    patient = _processes.Process(target=be_patient, args=(target, seconds, sending))
    patient.start()
    sending.close()
    patience = receiving.recv()
    patient.join()
    return patience
