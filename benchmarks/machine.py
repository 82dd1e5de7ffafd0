"""The facts about a machine that a reader needs to judge its figures."""

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg

LIBRARIES = ("msgspec", "psycopg", "litestar", "uvicorn", "uvloop", "redis")


def machine_facts(database_url: str) -> list[str]:
    """Return one line per fact, without any path of the machine."""
    memory = psutil.virtual_memory().total / 2**30
    with psycopg.connect(database_url) as connection:
        postgres = connection.info.server_version // 10_000
    system = f"{platform.system()} {platform.release()}"
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return [
        f"{os.cpu_count()} cores of {_processor()}, {memory:.0f} GB, {system}",
        f"Python {platform.python_version()}, {libraries}",
        f"Postgres {postgres}, fsync on",
        f"load average at the start: {os.getloadavg()[0]:.1f}",
    ]


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except FileNotFoundError:
        pass
    return platform.processor() or platform.machine()
