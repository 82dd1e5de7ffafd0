"""What all facts have in common: when, by whom and by which command they came to be.

The tag of an event is its name everywhere: the topic in Postgres, the `type` in JSON.
Tags and fields are contracts with the log; golden files pin their stored form.
Money and prices are in 1/10,000 of a dollar, quantities in whole shares, times in
microseconds since 1970-01-01 UTC.
"""

from typing import TypeAlias

import msgspec

from domain.ids import CommandId, UserId

Timestamp: TypeAlias = int


class Meta(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """When, by whom and by which command a fact came to be.

    `command_id` is the direct cause. `correlation` names the request behind it; it is
    stored only if it differs from the cause. `key` is the actor's `Idempotency-Key`,
    which makes the command once; `digest` is a fingerprint of the command's content.
    """

    at: Timestamp
    actor: UserId
    command_id: CommandId
    correlation: str | None = None
    key: str | None = None
    digest: str | None = None

    @property
    def correlation_id(self) -> str:
        return self.correlation or self.command_id


class Event(msgspec.Struct, frozen=True, gc=False, tag_field="type"):
    """A fact: past tense, immutable. One of more than five fields takes keywords."""

    meta: Meta
