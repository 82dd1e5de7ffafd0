"""A server with one ordinary route that does nothing; its argument is the port.

It measures the speed of the machine at the moment. It belongs to neither side, so a
change to code that all routes of Bourse share does not affect it.
"""

import sys

import uvicorn
from litestar import Litestar

from benchmarks.serve import no_op

if __name__ == "__main__":
    uvicorn.run(
        Litestar([no_op], openapi_config=None),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        lifespan="off",
        log_level="warning",
        access_log=False,
    )
