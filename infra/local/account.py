"""Who runs Postgres, and where that account may go.

Postgres refuses to run as root, and in containers newcomers are root. Then an
unprivileged account of the system runs it. What that account cannot reach stays
unreachable: no permission of a folder that is not ours is changed. The data (and a
copy of the programs) goes to a folder of our own instead.
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
class Account:
    """An unprivileged account of this system."""

    uid: int
    gid: int


def server_account(data: Path) -> Account | None:
    """The account to drop to, or None where this process is not root.

    Data that is there already keeps its owner.
    """
    if os.geteuid() != 0:
        return None
    if data.exists() and data.stat().st_uid != 0:
        status = data.stat()
        return Account(uid=status.st_uid, gid=status.st_gid)
    for name in ACCOUNT_NAMES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return Account(uid=entry.pw_uid, gid=entry.pw_gid)
    names = ", ".join(ACCOUNT_NAMES)
    raise NoPlaceToRun(
        f"Postgres does not run as root, and this system has none of the accounts "
        f"{names}. Run as another user, or set DATABASE_URL."
    )


def may_execute(account: Account | None, path: Path) -> bool:
    """Whether the account may enter the folder, or run the program, at `path`."""
    if account is None:
        return os.access(path, os.X_OK)
    # Asking the system as that account is the only answer that knows of every
    # parent folder, mount and access list.
    try:
        asked = subprocess.run(
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
            f"the account {account.uid} ({error}). Run as another user, or set "
            "DATABASE_URL."
        ) from error
    return asked.returncode == 0


def elsewhere(account: Account) -> Path:
    """A new folder that the account can reach, for data that cannot stay at home."""
    folder = own_folder(account) / token_hex(8)
    make_folder(folder)
    return folder


def own_folder(account: Account) -> Path:
    """A folder of ours that the account may enter."""
    temporary = Path(tempfile.gettempdir()) / f"bourse-{os.geteuid()}"
    for folder in (SYSTEM_FOLDER, temporary):
        try:
            make_folder(folder)
        except OSError:
            continue
        # In a shared temporary folder the name could have been taken by a stranger.
        ours = folder.stat().st_uid == os.geteuid() and not folder.is_symlink()
        if ours and may_execute(account, folder):
            return folder
    raise NoPlaceToRun(
        f"The account that runs Postgres can enter neither {SYSTEM_FOLDER} nor "
        f"{temporary}. Choose a BOURSE_HOME it can enter, or set DATABASE_URL."
    )


def make_folder(folder: Path) -> None:
    """Make a folder that every account may enter and only we may change."""
    if folder.is_dir():
        return
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        if not folder.is_dir():
            raise
        # Another start made it in the meantime, and gives it its mode.
        return
    # Whatever the umask took away: the folder is ours, made a moment ago.
    folder.chmod(0o755)


def give(path: Path, account: Account | None) -> None:
    """Make the account the owner of something we made."""
    if account is not None:
        os.chown(path, account.uid, account.gid)


def publish(parts: Mapping[Path, Path], account: Account, *, name: str) -> Path:
    """Copies of folders, made once, where the account can read them."""
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
        # Another process was quicker; its copy is as good.
        shutil.rmtree(staging)
    return copy


def _let_everybody_read(path: Path) -> None:
    if not path.is_symlink():
        mode = path.stat().st_mode
        path.chmod(mode | 0o444 | (0o111 if mode & 0o100 else 0))
