"""The HTTP application: its dependencies, its gate and what all routes share."""

from typing import Any

from litestar import Request
from litestar.di import Provide
from litestar.types import Scope

from api.compression import compressing
from api.http.auth import Caller, Gate
from api.http.bare_routes import Application
from api.http.error_handlers import EXCEPTION_HANDLERS
from api.http.error_responses import reasons
from api.http.json_bodies import Body
from api.http.numbers import Number, number
from api.http.openapi import OPENAPI, NumberSchema, describe_reasons
from api.http.own_writes import OwnWrites
from api.http.parameters import documented_parameters, refuse_unknown
from api.http.request_context import call_of, correlation_for, notes_in
from api.read.books import BookRoute, book_route
from api.read.current_orders import CurrentOrders
from api.read.door import ReadDoor, caller_of, on_damage, reading_of
from api.read.times import period_of
from api.routes import options_routes, ordinary_routes
from api.schema_page import with_page
from api.services import Services
from api.wire.names import normalize_path
from api.write.door import WriteDoor
from api.write.orders import (
    PlaceBatchRoute,
    PlaceOrderRoute,
    place_batch_route,
    place_order_route,
)
from api.write.users import UserDesk
from domain.events.event import Meta, Timestamp
from domain.events.security import AccessRefused
from projections.readable import Unreadable


def create_app(services: Services) -> Application:
    """Return the application, ready to serve."""
    own_writes = OwnWrites()
    read_door = ReadDoor(
        services.views, services.applied, own_writes, head=services.head
    )
    door = WriteDoor(
        services.port,
        CurrentOrders(read_door),
        clock=services.clock,
        new_id=services.new_id,
        own_writes=own_writes,
    )
    gate = _gate(services)
    limit = services.body_limit
    place_order = PlaceOrderRoute(door, gate, limit)
    place_batch = PlaceBatchRoute(door, gate, limit)
    routes = [
        place_order_route(place_order),
        place_batch_route(place_batch),
        book_route(BookRoute(read_door)),
        *ordinary_routes(gate, services.metrics_token),
    ]
    app = Application(
        [*options_routes(routes), *routes],
        dependencies=_dependencies(services, door, read_door),
        dto=Body,
        return_dto=None,
        type_decoders=[(lambda kind: kind is Number, lambda _, text: number(text))],
        exception_handlers={**EXCEPTION_HANDLERS, Unreadable: on_damage(read_door)},
        request_max_body_size=limit,
        openapi_config=with_page(OPENAPI),
        plugins=[NumberSchema()],
        logging_config=None,
        before_request=_check_parameters,
        middleware=[compressing],
    )
    describe_reasons(app.openapi_schema, reasons())
    app.observe = services.observe
    app.state.parameters = documented_parameters(app)
    app.bare = {
        ("POST", "/v2/orders"): place_order,
        ("POST", "/v2/orders:batch"): place_batch,
    }
    return app


async def _check_parameters(request: Request[Any, Any, Any]) -> None:
    """Bring ids and symbols of the path into one form; refuse unknown parameters."""
    if request.method != "OPTIONS":
        normalize_path(request.path_params)
    await refuse_unknown(request)


def _gate(services: Services) -> Gate:
    def refused(caller: Caller, route: str, at: Timestamp, scope: Scope) -> None:
        command_id = services.new_id()
        correlation = correlation_for(notes_in(scope), command_id)
        meta = Meta(at, caller.user_id, command_id, correlation)
        services.security_notes.note(AccessRefused(meta, route))

    return Gate(services.tokens, services.clock.now, on_refused=refused)


def _dependencies(
    services: Services, door: WriteDoor, read_door: ReadDoor
) -> dict[str, Provide]:
    user_desk = UserDesk(
        door,
        credentials=services.credentials,
        notes=services.security_notes,
        vault=services.vault,
        passwords=services.passwords,
        tokens=services.tokens,
    )
    return {
        "door": _constant(door),
        "read_door": _constant(read_door),
        "user_desk": _constant(user_desk),
        "readiness": _constant(services.readiness),
        "ask_metrics": _constant(services.metrics),
        "now": _constant(services.clock.now),
        "market_timezone": _constant(services.market_timezone),
        "call": Provide(call_of, sync_to_thread=False),
        "caller": Provide(caller_of, sync_to_thread=False),
        "reading": Provide(reading_of, sync_to_thread=False),
        "period": Provide(period_of, sync_to_thread=False),
    }


def _constant(value: object) -> Provide:
    return Provide(lambda: value, use_cache=True, sync_to_thread=False)
