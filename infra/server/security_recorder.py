"""Records the security refusals of all servers in the log, each once.

A command that an operator forced leaves its note there too (rule FORCE-02).

The append of a note's fact marks the note in the same transaction. A note beyond the
rate (USER-04) adds no fact and is dropped.
"""

import asyncio
from collections.abc import Awaitable, Callable

from commands.answers import Answer
from commands.messages import (
    Command,
    NoteAccessRefused,
    NoteLoginFailed,
    NoteOperationForced,
)
from commands.ports import SecurityOutbox
from domain.accounts.user import SECURITY_FACTS_PER_MINUTE
from domain.errors import DomainError
from domain.events.security import LoginFailed, OperationForced, SecurityEvent
from domain.ids import CommandId

LOOK_SECONDS = 0.5


class SecurityRecorder:
    """Drains the outbox while this server leads.

    `lead` returns one object during one leadership, and None otherwise.
    """

    def __init__(
        self,
        outbox: SecurityOutbox,
        execute: Callable[[Command], Awaitable[Answer]],
        lead: Callable[[], object | None],
    ) -> None:
        self._outbox = outbox
        self._execute = execute
        self._lead = lead

    async def run(self) -> None:
        """Poll the outbox while the server runs."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            await self.drain()

    async def drain(self) -> None:
        """Record or drop each pending note. A note that the writer refuses stays."""
        lead = self._lead()
        if lead is None:
            return
        notes = await asyncio.to_thread(self._outbox.pending, SECURITY_FACTS_PER_MINUTE)
        # Another leader may have recorded these while this server did not lead.
        if not notes or self._lead() is not lead:
            return
        outcomes = await asyncio.gather(
            *(self._execute(_command(note)) for note in notes), return_exceptions=True
        )
        dropped: list[CommandId] = []
        for note, outcome in zip(notes, outcomes, strict=True):
            if not isinstance(outcome, BaseException):
                if not outcome.facts:
                    dropped.append(note.meta.command_id)
            elif not isinstance(outcome, DomainError):
                raise outcome
        await asyncio.to_thread(self._finish, dropped)

    def _finish(self, dropped: list[CommandId]) -> None:
        if dropped:
            self._outbox.drop(dropped)
        self._outbox.sweep()


def _command(note: SecurityEvent) -> Command:
    if isinstance(note, LoginFailed):
        return NoteLoginFailed(note.meta, note.claim)
    if isinstance(note, OperationForced):
        return NoteOperationForced(
            note.meta, note.operation, note.condition, note.subject
        )
    return NoteAccessRefused(note.meta, note.route)
