"""How the server sets up its interpreter; what measures a part of it does the same.

Two threads share the writer's process, and millions of objects live long: the time
between thread switches and the garbage collector are set for that.
"""

import contextlib
import gc
import sys
from collections.abc import Generator

from infra.server.server import SWITCH_SECONDS

#: As `infra.server.server.serve` sets it.
GC_THRESHOLDS = (50_000, 20, 100)


@contextlib.contextmanager
def as_the_server() -> Generator[None]:
    """As after recovery: what lives already is not looked at by the collector again."""
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
