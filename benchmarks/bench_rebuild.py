"""How many events a second go from the log into all read models at once?

`processors.rebuild` into an empty Redis, as `bourse rebuild --all` does it. Beside it:
the same log only read and decoded.
"""

from statistics import median

import redis

from benchmarks.from_log import passed
from benchmarks.long_log import long_log
from benchmarks.suite import Places, Suite
from benchmarks.table import Row

NAME = "rebuild"


def measure(suite: Suite) -> list[Row]:
    log = long_log(suite)
    rebuilds: list[float] = []
    reads: list[float] = []
    for _ in range(suite.scaled(2, 1)):
        reads.append(passed("read", log.places).rate)
        _empty(log.places)
        rebuilds.append(passed("rebuild", log.places).rate)
    rate, read = median(rebuilds), median(reads)
    return [
        Row(
            what="rebuild of all read models",
            measured=f"{rate:,.0f} events/s",
            beside=f"reading and decoding the log {read:,.0f} events/s",
            ratio=rate / read,
            target="40,000/s",
            notes=f"{log.events:,} events, until all are switched",
        )
    ]


def _empty(places: Places) -> None:
    with redis.Redis.from_url(places.redis_url) as client:
        client.flushdb()
