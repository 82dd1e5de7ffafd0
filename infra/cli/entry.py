"""The first thing that `bourse` runs: it hears Ctrl-C while all else is being imported,
which takes a second, and ends without a word as every program does."""

import sys

INTERRUPTED = 130


def main() -> None:
    try:
        # Imported here, because the import is what may be interrupted.
        from infra.cli.commands import main as command_line

        command_line()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
