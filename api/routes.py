"""All routes, and who may use each."""

from collections.abc import Iterable, Sequence
from copy import copy

from litestar import Response, route
from litestar.datastructures import ResponseHeader
from litestar.handlers import HTTPRouteHandler

from api.admin import accounts, assets, audit, venue
from api.health import live, ready
from api.home import home
from api.http.auth import AnyGuard, Gate, admins_only, signed_in
from api.http.error_responses import allowed_methods
from api.http.openapi import BEARER, CommandOperation, QueryOperation
from api.metrics import metrics, operators_only
from api.read import market_data, orders, portfolio, trades, wallet
from api.write import account, open_orders, users
from api.write import close_positions as closing

#: What is private must not stay in a browser's cache.
NOT_STORED = ResponseHeader(name="Cache-Control", value="no-store")

FOR_EVERYBODY: Sequence[HTTPRouteHandler] = (
    home,
    live,
    ready,
    users.register,
    users.login,
    market_data.list_assets,
    market_data.get_asset,
    market_data.list_prices,
    market_data.get_price,
    market_data.list_price_history,
    trades.list_trades,
)
FOR_TRADERS: Sequence[HTTPRouteHandler] = (
    portfolio.get_account,
    portfolio.get_configurations,
    account.change_configurations,
    market_data.get_clock,
    orders.list_orders,
    orders.get_order,
    orders.get_order_by_client_order_id,
    orders.list_fills,
    open_orders.replace_order,
    open_orders.cancel_order,
    open_orders.cancel_all_orders,
    portfolio.list_positions,
    portfolio.get_position,
    closing.close_position,
    closing.close_all_positions,
    wallet.get_wallet,
    wallet.list_transactions,
)
FOR_ADMINS: Sequence[HTTPRouteHandler] = (
    assets.list_asset,
    assets.change_asset,
    assets.halt_asset,
    assets.resume_asset,
    accounts.deposit,
    accounts.grant_shares,
    accounts.set_limits,
    accounts.cancel_for_owner,
    accounts.grant_role,
    venue.get_memory_window,
    venue.change_memory_window,
    venue.confirm_clock,
    audit.audit_state,
)


def ordinary_routes(gate: Gate, metrics_token: str | None) -> list[HTTPRouteHandler]:
    """Return all routes except the bare ones, each behind its guard."""
    return [
        *map(_ordinary, FOR_EVERYBODY),
        *(_guarded(each, signed_in(gate)) for each in FOR_TRADERS),
        *(_guarded(each, admins_only(gate)) for each in FOR_ADMINS),
        _guarded(metrics, operators_only(gate, metrics_token)),
    ]


def options_routes(routes: Sequence[HTTPRouteHandler]) -> list[HTTPRouteHandler]:
    """Return a route for OPTIONS for each path of these routes.

    The framework answers OPTIONS with the methods of the first route of a path only.
    Register these before the routes.
    """
    methods: dict[str, set[str]] = {}
    for each in routes:
        for path in each.paths:
            methods.setdefault(path, {"OPTIONS"}).update(each.http_methods)
    return [_options(path, allowed) for path, allowed in methods.items()]


def _options(path: str, allowed: Iterable[str]) -> HTTPRouteHandler:
    @route(
        path,
        http_method="OPTIONS",
        status_code=204,
        include_in_schema=False,
    )
    async def options() -> Response[None]:
        return Response(None, headers={"Allow": allowed_methods(allowed)})

    return options


def _ordinary(handler: HTTPRouteHandler) -> HTTPRouteHandler:
    """Return a copy for one application; the module's handlers stay unchanged."""
    own = copy(handler)
    is_query = own.http_methods == {"GET"}
    own.operation_class = QueryOperation if is_query else CommandOperation
    return own


def _guarded(handler: HTTPRouteHandler, guard: AnyGuard) -> HTTPRouteHandler:
    # Not a router per guard: two routers cannot share one path.
    own = _ordinary(handler)
    own.guards = [guard]
    own.security = BEARER
    own.response_headers = [NOT_STORED]
    return own
