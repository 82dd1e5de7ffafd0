"""The base of all facts, with their time, actor and command.

The tag of an event is its name everywhere: the topic in Postgres, the `type` in JSON.
The log contains tags and fields, so they never change; golden files pin their form.
Money and prices are in 1/10,000 of a dollar, quantities in whole shares, times in
microseconds since 1970-01-01 UTC.
"""

from typing import TypeAlias

import msgspec

from domain.ids import CommandId, UserId

Timestamp: TypeAlias = int


class Meta(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """The time, the actor and the command of a fact.

    `command_id` is the direct cause. `correlation` names the request behind the
    command; the log stores it only if it differs from the command id. `key` is the
    actor's `Idempotency-Key`, under which the writer executes a command only once.
    `digest` is a fingerprint of the command's content.
    """

    at: Timestamp
    actor: UserId
    command_id: CommandId
    correlation: str | None = None
    key: str | None = None
    digest: str | None = None

    @property
    def correlation_id(self) -> str:
        """Return the id of the request, which is the command id by default."""
        return self.correlation or self.command_id


class Event(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """A fact: immutable, named in the past tense.

    A subclass with more than five fields takes keyword arguments only.
    """

    meta: Meta
