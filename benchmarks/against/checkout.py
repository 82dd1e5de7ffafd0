"""The two checkouts that take turns: an older commit, and the working tree.

The older commit gets a git worktree in the system's temporary folder. Both run on the
interpreter of this process, with its installed packages. One of those packages is the
checkout in which `make setup` ran, so `PYTHONPATH` puts the right checkout first.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path

import msgspec

ROOT = Path(__file__).resolve().parents[2]
#: The program that runs inside a checkout. Both sides run this commit's version.
INSIDE = Path(__file__).with_name("inside.py")
OF_SERVICES = ("DATABASE_URL", "REDIS_URL")


class NoSuchCommit(Exception):
    """Git cannot check out the commit; the message is git's."""


class Checkout(msgspec.Struct, frozen=True):
    """A folder with one commit of Bourse, and the commit's name."""

    folder: Path
    commit: str

    def start(
        self,
        arguments: Sequence[str],
        *,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.DEVNULL,
        **variables: str,
    ) -> subprocess.Popen[bytes]:
        """Start a Python process that imports the packages of this checkout."""
        # -P: Python does not import from the program's own folder.
        return subprocess.Popen(
            [sys.executable, "-P", str(INSIDE), *arguments],
            cwd=self.folder,
            env={**plain_environment(), "PYTHONPATH": str(self.folder), **variables},
            stdin=stdin,
            stdout=stdout,
            # Ctrl-C reaches only this process, which then stops the others in order.
            start_new_session=True,
        )


def plain_environment() -> dict[str, str]:
    """Return the environment without the settings of Bourse."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("BOURSE_") and name not in OF_SERVICES
    }


def this_checkout() -> Checkout:
    """Return the working tree of this file, with its uncommitted changes."""
    return Checkout(ROOT, _git("describe", "--always", "--dirty", "--exclude=*"))


@contextlib.contextmanager
def older_checkout(commit: str) -> Generator[Checkout]:
    """Check out a commit into a temporary folder, and remove it at the end.

    Raises:
        NoSuchCommit
    """
    with tempfile.TemporaryDirectory(prefix="bourse-against-") as temporary:
        folder = Path(temporary).resolve() / "checkout"
        try:
            _git("worktree", "add", "--quiet", "--detach", str(folder), commit)
            yield Checkout(folder, _git("rev-parse", "--short", f"{commit}^{{commit}}"))
        finally:
            if folder.exists():
                _git("worktree", "remove", "--force", str(folder))


def _git(*arguments: str) -> str:
    answer = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if answer.returncode:
        raise NoSuchCommit(answer.stderr.strip())
    return answer.stdout.strip()
