"""How a key makes a command once: its digest, the keys of its parts, their names.

A key is what the client chose: an `Idempotency-Key`, or the reference of a deposit. The
digest is a fingerprint of the command's content: the same key with other content is a
conflict.
"""

import hashlib

from domain.events.event import Meta
from domain.ids import AccountId, UserId, derived_id


def content_digest(*content: object) -> str:
    """Return a short fingerprint of a command's content."""
    return hashlib.blake2b(repr(content).encode(), digest_size=12).hexdigest()


def actor_key(actor: UserId, key: str) -> str:
    """Return the name of an actor's `Idempotency-Key`."""
    return f"{actor}/{key}"


def deposit_key(account_id: AccountId, reference: str) -> str:
    """Return the name of a deposit's reference."""
    return f"deposit/{account_id}/{reference}"


def grant_key(account_id: AccountId, reference: str) -> str:
    """Return the name of a grant's reference."""
    return f"grant/{account_id}/{reference}"


def part_key(key: str, part: object) -> str:
    """Return the key of one part. No key that a client chooses has a blank in it."""
    return f"{key} {part}"


def part_meta(meta: Meta, part: object, *, after: int, digest: str | None) -> Meta:
    """Return the meta of one part of a command, `after` microseconds later.

    Lists of orders are paged by time, so each part has its time.
    """
    keyed = meta.key is not None
    return Meta(
        meta.at + after,
        meta.actor,
        derived_id(meta.command_id, str(part)),
        meta.correlation,
        part_key(meta.key, part) if meta.key is not None else None,
        digest if keyed else None,
    )
