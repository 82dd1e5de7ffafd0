"""The HTTP application: which routes there are, and what all of them share."""

from collections.abc import Sequence
from copy import copy

from litestar import Litestar
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler

from api.auth import AnyGuard, Caller, Gate, admins_only, signed_in
from api.bodies import Body
from api.calls import call_of
from api.errors import EXCEPTION_HANDLERS
from api.health import live, ready_route
from api.services import Services
from api.write import account, admin, audit, closing, open_orders, users
from api.write.door import WriteDoor
from api.write.orders import (
    OrderDesk,
    PlaceBatchRoute,
    PlaceOrderRoute,
    place_batch_route,
    place_order_route,
)
from commands.messages import NoteAccessRefused
from domain.events import Meta, Timestamp


def create_app(services: Services) -> Litestar:
    """The application, ready to be served."""
    door = WriteDoor(services.writer, services.clock, services.new_id)

    def refused(caller: Caller, route: str, at: Timestamp) -> None:
        meta = Meta(at, caller.user_id, door.new_id())
        door.note(NoteAccessRefused(meta, route))

    gate = Gate(services.tokens, services.clock.now, on_refused=refused)
    desk = OrderDesk(door)
    user_desk = users.UserDesk(
        door,
        vault=services.vault,
        passwords=services.passwords,
        tokens=services.tokens,
    )
    return Litestar(
        [
            place_order_route(PlaceOrderRoute(desk, gate, services.body_limit)),
            place_batch_route(PlaceBatchRoute(desk, gate, services.body_limit)),
            live,
            ready_route(services.readiness),
            users.register,
            users.login,
            *_guarded(FOR_TRADERS, signed_in(gate)),
            *_guarded(FOR_ADMINS, admins_only(gate)),
        ],
        dependencies={
            "door": _given(door),
            "user_desk": _given(user_desk),
            "call": Provide(call_of, sync_to_thread=False),
            "market_timezone": _given(services.market_timezone),
        },
        dto=Body,
        return_dto=None,
        exception_handlers={**EXCEPTION_HANDLERS},
        request_max_body_size=services.body_limit,
        logging_config=None,
    )


def _given(value: object) -> Provide:
    return Provide(lambda: value, use_cache=True, sync_to_thread=False)


#: What needs a token, and what needs the role admin too.
FOR_TRADERS: Sequence[HTTPRouteHandler] = (
    open_orders.replace_order,
    open_orders.cancel_order,
    open_orders.cancel_all_orders,
    closing.close_position,
    closing.close_all_positions,
    account.change_configurations,
)
FOR_ADMINS: Sequence[HTTPRouteHandler] = (
    admin.list_asset,
    admin.change_asset,
    admin.halt_asset,
    admin.resume_asset,
    admin.deposit,
    admin.grant_shares,
    admin.cancel_for_owner,
    admin.grant_role,
    audit.audit_state,
)


def _guarded(
    routes: Sequence[HTTPRouteHandler], guard: AnyGuard
) -> list[HTTPRouteHandler]:
    """The routes, behind a guard. A router would do, if two of them could share a path
    whose methods they divide."""
    guarded = [copy(route) for route in routes]
    for each in guarded:
        each.guards = [guard]
        each.security = [{"bearer": []}]
    return guarded
