"""Keys that make a command once: their digests, names and the keys of parts.

The client chooses a key: an `Idempotency-Key`, or the reference of a deposit. The
digest is a fingerprint of the command's content: the same key with other content is a
conflict.
"""

import hashlib

from domain.events.event import Meta
from domain.ids import AccountId, CommandId, UserId, derived_id


def content_digest(*content: object) -> str:
    """Return a short fingerprint of a command's content."""
    return hashlib.blake2b(repr(content).encode(), digest_size=12).hexdigest()


def actor_key(actor: UserId, key: str) -> str:
    """Return the name of an actor's `Idempotency-Key` in the register."""
    return f"{actor}/{key}"


def deposit_key(account_id: AccountId, reference: str) -> str:
    """Return the name of a deposit's reference in the register."""
    return f"deposit/{account_id}/{reference}"


def grant_key(account_id: AccountId, reference: str) -> str:
    """Return the name of a grant's reference in the register."""
    return f"grant/{account_id}/{reference}"


def part_key(key: str, part: object) -> str:
    """Return the key of one part. It has a blank, which a client's key cannot have."""
    return f"{key} {part}"


def part_meta(meta: Meta, part: object, *, after: int, digest: str | None) -> Meta:
    """Return the meta of one part of a command, `after` microseconds later.

    Clients page orders by time, so each part needs a different time.
    """
    keyed = meta.key is not None
    return Meta(
        meta.at + after,
        meta.actor,
        CommandId(derived_id(meta.command_id, str(part))),
        meta.correlation,
        part_key(meta.key, part) if meta.key is not None else None,
        digest if keyed else None,
    )
