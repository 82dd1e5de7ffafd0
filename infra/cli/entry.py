"""The entry point of `bourse`.

The imports take a second. Ctrl-C during that time ends the program without a traceback.
"""

import sys

INTERRUPTED = 130


def main() -> None:
    try:
        # Imported here, because Ctrl-C may interrupt the import.
        from infra.cli.commands import main as command_line

        command_line()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
