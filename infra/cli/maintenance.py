"""Maintenance from the command line: snapshots, administrators, forgotten views."""

from time import perf_counter

import msgspec

from api.write.users import Registration
from commands.writer.recovery import take_snapshot
from domain.ids import LogPosition
from infra.access.admin_client import administrator_client
from infra.access.administrators import (
    Administrator,
    Administrators,
    generated_password,
)
from infra.access.api_client import ServerClient, ServerUnreachable
from infra.access.target_servers import (
    running_server,
    target_postgres,
    target_redis,
)
from infra.log.event_store import PostgresEventStore
from infra.log.snapshots import PostgresSnapshotStore
from infra.runtime.settings import Settings
from infra.views.redis_store import RedisStore
from projections.register import PROJECTIONS


class Saved(msgspec.Struct, frozen=True):
    """A saved snapshot of the state at this log position."""

    log_position: LogPosition
    seconds: float


class Confirmed(msgspec.Struct, frozen=True):
    """A confirmed step of the clock; the venue follows it from this log position on."""

    ahead_seconds: int
    log_position: LogPosition


def save_snapshot(settings: Settings) -> Saved:
    """Save the state at the head of the log. A server may be at work."""
    started = perf_counter()
    with (
        target_postgres(settings) as database_url,
        PostgresEventStore(database_url) as store,
    ):
        snapshots = PostgresSnapshotStore(store.datastore)
        position = take_snapshot(store.reader, snapshots)
    return Saved(position, round(perf_counter() - started, 3))


def forget_views(settings: Settings) -> None:
    """Remove all views from Redis, because another log replaces the log that they show.

    The next start fills each view from the log. A restore empties those in Postgres.
    """
    with target_redis(settings) as redis_url:
        views = RedisStore(redis_url)
        try:
            views.forget([each.view for each in PROJECTIONS])
        finally:
            views.close()


def confirm_clock(settings: Settings, ahead: int, *, url: str | None) -> Confirmed:
    """Confirm a step of the system's clock to the server that shows it.

    Raises:
        ServerRefused: the clock shows another step, or none.
        ServerUnreachable: no server runs.
    """
    running = running_server(settings.home)
    address = url or (running.base_url if running is not None else None)
    if address is None:
        raise ServerUnreachable(
            f"no server runs in {settings.home}; name the one to ask with --url"
        )
    client = administrator_client(settings, address)
    try:
        path, body = "/v2/admin/clock/confirmations", {"ahead_seconds": ahead}
        return client.ask("POST", path, body).read(Confirmed)
    finally:
        client.close()


def create_admin(
    settings: Settings,
    email: str,
    *,
    full_name: str,
    password: str | None,
    url: str | None,
) -> Administrator:
    """Create an administrator through a live server, or without one."""
    generated = None if password is not None else generated_password()
    typed = Registration(email, password or generated or "", full_name)
    registration = typed.checked()
    running = running_server(settings.home)
    address = url or (running.base_url if running is not None else None)
    with (
        target_postgres(settings) as database_url,
        PostgresEventStore(database_url) as store,
    ):
        administrators = Administrators(settings, store)
        if address is not None:
            client = ServerClient(address)
            try:
                administrator = administrators.through_server(client, registration)
            finally:
                client.close()
        else:
            administrator = administrators.through_temporary_writer(registration)
    shown = generated if administrator.created else None
    return msgspec.structs.replace(administrator, password=shown)
