"""Deletes the data of an installation for `make clean-data`, after asking.

Only what Bourse itself put into the home is deleted, and the folder outside of it that
`postgres/server.json` names. Everything else in the home stays, and so does the home.
"""

import os
import re
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from infra.local.account import own_folders
from infra.local.errors import LocalServerError
from infra.local.folder import ServerFolder
from infra.local.servers import serves_others, stop_local_servers
from infra.local.serving import LOCK_FILE, ServedAlready, serving
from infra.runtime.settings import Settings, SettingsError, read_settings

#: The folders of embedded servers; each of ours has a `server.json`.
FOLDERS = ("redis", "postgres")
#: The files that servers and commands make, without the lock of the server.
FILES = ("redis.lock", "postgres.lock", "run.json", "run.json.new", "demo.json")
_DATA_NAME = re.compile("[0-9a-f]{16}")
_MEGABYTE = 1_000_000


class StrangeFolder(LocalServerError):
    """The folder of the data outside of the home is not one that Bourse made."""

    code = "local-server-strange-folder"

    def __init__(self, home: Path, folder: Path) -> None:
        super().__init__(
            f"{home / 'postgres' / 'server.json'} names {folder} as the folder of the "
            "data, and Bourse makes no folder there. Nothing was deleted."
        )


def main() -> None:
    """Delete the data of BOURSE_HOME if the user types yes, or with YES=1."""
    try:
        settings = read_settings()
        sys.stdout.write(clean_data(settings, is_sure=os.environ.get("YES") == "1"))
    except (SettingsError, LocalServerError, OSError) as error:
        sys.exit(str(error))


def clean_data(settings: Settings, *, is_sure: bool) -> str:
    """Delete the data and return the report. End the program if it must not."""
    home = settings.home.resolve()
    if not belongings(home):
        return f"There is no data of Bourse in {home}.\n"
    try:
        # While this process holds the lock, no server can start in the home.
        with serving(home):
            if serves_others(home):
                sys.exit(f"Another server uses the Postgres of {home}. Stop it first.")
            doomed = belongings(home)
            _show(doomed, settings)
            if not is_sure and not _typed_yes():
                sys.exit("Nothing was deleted.")
            stop_local_servers(home)
            for path in doomed:
                _delete(path)
            (home / LOCK_FILE).unlink()
    except ServedAlready:
        sys.exit(f"A server runs in {home}. Stop it with `make stop`, then repeat.")
    return _rest(home)


def belongings(home: Path) -> list[Path]:
    """Return what Bourse made for a home and is there, in the order to delete it.

    Raises:
        StrangeFolder: `server.json` names a folder that Bourse did not make.
    """
    # A folder of the same name may be somebody else's.
    found = [home / name for name in FOLDERS if ServerFolder(home / name).is_ours()]
    if found or (home / LOCK_FILE).exists():
        found += [home / name for name in FILES if (home / name).exists()]
    remembered = ServerFolder(home / "postgres").remembered()
    if remembered is None or remembered.elsewhere is None:
        return found
    elsewhere = Path(remembered.elsewhere)
    if elsewhere.parent not in own_folders() or not _DATA_NAME.fullmatch(
        elsewhere.name
    ):
        raise StrangeFolder(home, elsewhere)
    # First, because after an interruption server.json must still name the folder.
    return [elsewhere, *found] if elsewhere.exists() else found


def _show(doomed: list[Path], settings: Settings) -> None:
    sys.stdout.write("This deletes for ever:\n")
    for path in doomed:
        size = sum(each.lstat().st_size for each in _files(path)) / _MEGABYTE
        sys.stdout.write(f"  {size:>10,.1f} MB  {path}\n")
    if settings.database_url is not None:
        sys.stdout.write("The database of DATABASE_URL stays.\n")
    sys.stdout.flush()


def _files(path: Path) -> Iterator[Path]:
    if not path.is_dir() or path.is_symlink():
        yield path
        return
    for each in path.rglob("*"):
        if each.is_symlink() or not each.is_dir():
            yield each


def _typed_yes() -> bool:
    sys.stdout.write("Type yes to delete it (a backup: bourse backup FILE): ")
    sys.stdout.flush()
    return sys.stdin.readline().strip() == "yes"


def _delete(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()


def _rest(home: Path) -> str:
    rest = sorted(each.name for each in home.iterdir())
    if rest:
        return f"Deleted. {home} has other files, which stay: {', '.join(rest)}.\n"
    home.rmdir()
    return f"Deleted, and {home} with it.\n"


if __name__ == "__main__":
    main()
