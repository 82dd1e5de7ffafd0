"""The stored form of read models in Redis is a contract: an old Redis needs no refill.

`facts.jsonl` holds facts as commit a43e954 stored them, `redis.txt` what Redis holds
for them, key by key: as that commit wrote it, except for orders, whose layout is newer.
"""

from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from redis import Redis

from domain.events.register import Fact
from domain.ids import LogPosition, Stream
from infra.log.event_codec import EventDecoder, Row
from infra.views.redis_store import RedisStore
from tests.support.facts import batches, segment
from tests.support.views import live_host

GOLDEN = Path(__file__).parents[1] / "golden/views"


def golden_facts() -> list[Fact]:
    lines = (GOLDEN / "facts.jsonl").read_bytes().splitlines()
    decode = msgspec.json.Decoder(tuple[LogPosition, Stream, int, str]).decode
    stored = [decode(each) for each in lines]
    rows: list[Row] = [(at, name, n, state.encode()) for at, name, n, state in stored]
    return EventDecoder().facts(rows)


def content_of(url: str) -> list[str]:
    """Return everything that a Redis holds, one line for each value."""
    with Redis.from_url(url, decode_responses=True) as typed:
        client = cast(Any, typed)
        return [
            f"{key} {line}"
            for key in sorted(client.scan_iter("*"))
            for line in values(client, key)
        ]


def values(client: Any, key: str) -> list[str]:
    match client.type(key):
        case "string":
            return [f"= {client.get(key)}"]
        case "set":
            return [f"= {' '.join(sorted(client.smembers(key)))}"]
        case "hash":
            return [
                f"{name} = {row}" for name, row in sorted(client.hgetall(key).items())
            ]
        case kind:
            assert kind == "zset", key
            entries = client.zrange(key, 0, -1, withscores=True)
            return [f"{member} @ {score:.0f}" for member, score in entries]


@pytest.mark.rule("VIEW-02")
@pytest.mark.parametrize("size", [7, 1_000])
def test_the_stored_form_of_a_log_of_a43e954_is_the_golden_one(
    redis_url: str, size: int
):
    facts = golden_facts()
    store = RedisStore(redis_url)
    host = live_host(store)

    for batch in batches(facts, [size] * len(facts)):
        host.apply(segment(batch))

    store.close()
    assert content_of(redis_url) == (GOLDEN / "redis.txt").read_text().splitlines()
