"""Writes companion rows to Postgres, in the transaction of an append.

Each statement checks the epoch by itself. When the epoch is over, the append inserts no
fact, so no companion row may change either.
"""

from typing import Any, LiteralString

import psycopg
from psycopg.rows import TupleRow

from commands.companions import Companion, RolesOf, SignIn
from infra.log.lease import SHARD

_SIGN_IN: LiteralString = """
    INSERT INTO credentials
    SELECT %s, %s, %s, %s, %s::text[] FROM log_lease WHERE shard = %s AND epoch = %s
    ON CONFLICT (claim) DO UPDATE SET user_id = excluded.user_id,
        account_id = excluded.account_id, password_hash = excluded.password_hash,
        roles = excluded.roles
"""
_ROLES_OF: LiteralString = """
    UPDATE credentials SET roles = %s::text[] FROM log_lease
    WHERE user_id = %s AND shard = %s AND epoch = %s
"""
_NOTE_RECORDED: LiteralString = """
    UPDATE security_outbox SET handled_at = now() FROM log_lease
    WHERE note_id = %s AND shard = %s AND epoch = %s
"""
_FILL: LiteralString = """
    SELECT fill_credentials(log_position) FROM credentials_writer
    WHERE shard = %s AND epoch < %s - 1
"""
_TAKE_OVER: LiteralString = """
    UPDATE credentials_writer SET epoch = %s, log_position = (
        SELECT coalesce(max(notification_id), 0) FROM events
    ) WHERE shard = %s
"""


def send(
    connection: psycopg.Connection[TupleRow], companion: Companion, epoch: int
) -> None:
    """Write one row in the caller's transaction, unless the epoch is over."""
    place = (SHARD, epoch)
    statement: LiteralString
    values: tuple[Any, ...]
    if isinstance(companion, SignIn):
        statement = _SIGN_IN
        values = (
            companion.claim,
            companion.user_id,
            companion.account_id,
            companion.password_hash,
            [str(role) for role in companion.roles],
            *place,
        )
    elif isinstance(companion, RolesOf):
        statement = _ROLES_OF
        values = ([str(role) for role in companion.roles], companion.user_id, *place)
    else:
        statement = _NOTE_RECORDED
        values = (companion.note_id, *place)
    connection.execute(statement, values, prepare=True)


def take_over(connection: psycopg.Connection[TupleRow], epoch: int) -> None:
    """Begin an epoch, and copy credentials that an older version left in the log alone.

    `credentials_writer` notes each epoch. A version without the table `credentials`
    leaves a gap in these epochs, and the gap shows that facts are to be copied.
    """
    with connection.transaction():
        connection.execute(_FILL, (SHARD, epoch))
        connection.execute(_TAKE_OVER, (epoch, SHARD))
