"""The connection of a backup or a restore."""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg.rows import TupleRow

from commands.ports import LogUnavailable
from infra.backup.errors import BackupError
from infra.log.connection import connect


@contextmanager
def connected(database_url: str) -> Generator[psycopg.Connection[TupleRow]]:
    try:
        with connect(database_url, name="bourse-backup") as connection:
            yield connection
    except psycopg.OperationalError as reason:
        raise LogUnavailable(str(reason)) from reason
    except psycopg.errors.UndefinedTable as reason:
        raise BackupError("there is no log in that database") from reason
