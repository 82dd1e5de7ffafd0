"""The interpreter settings of the server, for benchmarks of its parts.

Two threads share the writer's process, and millions of objects live long. The server
therefore changes the thread switch interval and the garbage collector.
"""

import contextlib
import gc
import sys
from collections.abc import Generator

from infra.server.server import SWITCH_SECONDS

#: The thresholds that `infra.server.server.serve` sets.
GC_THRESHOLDS = (50_000, 20, 100)


@contextlib.contextmanager
def as_the_server() -> Generator[None]:
    """Use the server's settings; the collector ignores all objects made before."""
    thresholds, switching = gc.get_threshold(), sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    sys.setswitchinterval(SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(switching)
        gc.set_threshold(*thresholds)
        gc.unfreeze()
