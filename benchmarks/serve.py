"""The server with one more route: an ordinary handler that does nothing.

The no-op decodes the body of an order and returns an order, as any Litestar handler
would. It does none of the work of Bourse.
"""

import msgspec
from litestar import post

from infra.runtime.settings import read_settings
from infra.server.server import serve


class Body(msgspec.Struct):
    """An order, as a request and as a response."""

    symbol: str
    qty: str
    side: str
    type: str
    time_in_force: str
    limit_price: str | None = None
    client_order_id: str | None = None


@post("/no-op", status_code=200)
async def no_op(data: Body) -> Body:
    return data


if __name__ == "__main__":
    serve(read_settings(), [no_op])
