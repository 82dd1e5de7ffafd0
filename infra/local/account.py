"""The system account that runs Postgres, and the folders that it may enter.

Postgres refuses to run as root, and in containers the user often is root. Then an
unprivileged account of the system runs it. If that account cannot enter the home, the
data (and a copy of the programs) goes to another folder of ours. We never change the
permissions of a folder that is not ours.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex

from infra.local.errors import NoPlaceToRun

ACCOUNT_NAMES = ("nobody", "daemon", "postgres")
SYSTEM_FOLDER = Path("/var/lib/bourse")


@dataclass(frozen=True)
class SystemAccount:
    """An unprivileged account of this system."""

    uid: int
    gid: int


def server_account(data: Path) -> SystemAccount | None:
    """Return the account that runs Postgres, or None if this process is not root.

    Existing data keeps its owner.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        status = data.stat()
        return SystemAccount(uid=status.st_uid, gid=status.st_gid)
    for name in ACCOUNT_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return SystemAccount(uid=entry.pw_uid, gid=entry.pw_gid)
    names = ", ".join(ACCOUNT_NAMES)
    raise NoPlaceToRun(
        f"Postgres does not run as root, and this system has none of the accounts "
        f"{names}. Start as another user, or set DATABASE_URL."
    )


def may_execute(account: SystemAccount | None, path: Path) -> bool:
    """Return whether the account may enter a folder or run a program."""
    if account is None:
        return os.access(path, os.X_OK)
    # Only a test by that account respects every parent folder, mount and access list.
    try:
        test = subprocess.run(
            ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)],
            cwd="/",
            user=account.uid,
            group=account.gid,
            extra_groups=[],
            check=False,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise NoPlaceToRun(
            f"Postgres does not run as root, and this system does not let root become "
            f"the account {account.uid} ({error}). Start as another user, or set "
            "DATABASE_URL."
        ) from error
    return test.returncode == 0


def new_data_folder(account: SystemAccount) -> Path:
    """Create a folder that the account can enter, for data that cannot stay at home."""
    folder = own_folder(account) / token_hex(8)
    make_folder(folder)
    return folder


def own_folders() -> tuple[Path, Path]:
    """Return the folders outside of a home that may hold its data."""
    temporary = Path(tempfile.gettempdir()) / f"bourse-{os.geteuid()}"
    return SYSTEM_FOLDER, temporary


def own_folder(account: SystemAccount) -> Path:
    """Return a folder of ours that the account may enter."""
    candidates = own_folders()
    for folder in candidates:
        try:
            make_folder(folder)
        except OSError:
            continue
        # In a shared temporary folder, a stranger may own the name.
        ours = folder.stat().st_uid == os.geteuid() and not folder.is_symlink()
        if ours and may_execute(account, folder):
            return folder
    places = " nor ".join(map(str, candidates))
    raise NoPlaceToRun(
        f"The account that runs Postgres can enter neither {places}. Choose a "
        "BOURSE_HOME that it can enter, or set DATABASE_URL."
    )


def make_folder(folder: Path) -> None:
    """Create a folder that every account may enter and only we may change."""
    if folder.is_dir():
        return
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if not folder.is_dir():
            raise
        # Another process created the folder meanwhile, and sets its mode.
        return
    # The umask may have removed permissions. The folder is new, and ours.
    folder.chmod(0o755)


def give(path: Path, account: SystemAccount | None) -> None:
    """Make the account the owner of a file or folder of ours."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def publish(parts: Mapping[Path, Path], account: SystemAccount, *, name: str) -> Path:
    """Copy folders, once, to a place where the account can read them."""
    copy = own_folder(account) / name
    if copy.exists():
        return copy
    staging = Path(tempfile.mkdtemp(prefix=f"{name}.", dir=copy.parent))
    for source, target in parts.items():
        shutil.copytree(source, staging / target, symlinks=True)
    for path in (staging, *staging.rglob("*")):
        _let_everybody_read(path)
    try:
        staging.rename(copy)
    except OSError:
        # Another process was faster; its copy is as good.
        shutil.rmtree(staging)
    return copy


def _let_everybody_read(path: Path) -> None:
    if not path.is_symlink():
        mode = path.stat().st_mode
        path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
