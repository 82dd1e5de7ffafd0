"""How many events per second does a rebuild of all read models read from the log?

`processors.rebuild` fills an empty Redis, as `bourse rebuild --all` does. The ceiling
is reading and decoding the same log.
"""

from statistics import median

import redis

from benchmarks.from_log import run_pass
from benchmarks.long_log import long_log
from benchmarks.suite import Places, Suite
from benchmarks.table import Row

NAME = "rebuild"


def measure(suite: Suite) -> list[Row]:
    log = long_log(suite)
    rebuilds: list[float] = []
    reads: list[float] = []
    for _ in range(suite.scaled(2, 1)):
        reads.append(run_pass("read", log.places).rate)
        _empty(log.places)
        rebuilds.append(run_pass("rebuild", log.places).rate)
    rate, read = median(rebuilds), median(reads)
    return [
        Row(
            what="rebuild of all read models",
            measured=f"{rate:,.0f} events/s",
            compared_with=f"reading and decoding the log {read:,.0f} events/s",
            ratio=rate / read,
            target="40,000/s",
            notes=f"{log.events:,} events, until every view has switched",
        )
    ]


def _empty(places: Places) -> None:
    with redis.Redis.from_url(places.redis_url) as client:
        client.flushdb()
