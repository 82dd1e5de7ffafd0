"""Runs `bourse audit verify`: collects the log, snapshot, live state and views."""

from collections.abc import Sequence
from http import HTTPStatus
from time import perf_counter

from commands.ports import LogReader
from infra.access.admin_client import administrator_client
from infra.access.api_client import ServerRefused
from infra.access.target_servers import (
    running_server,
    target_postgres,
    target_redis,
)
from infra.audit.findings import Check
from infra.audit.sign_ins import SignInTable
from infra.audit.state import LiveState, LiveStream
from infra.audit.verify import Audit, AuditReport
from infra.audit.views import views_check
from infra.cli.output import Output
from infra.log.connection import rebuild_lock
from infra.log.event_store import PostgresEventStore
from infra.log.snapshots import PostgresSnapshotStore
from infra.runtime.clock import SystemClock
from infra.runtime.ids import Identifiers
from infra.runtime.settings import Settings
from infra.security.credentials import PostgresCredentials
from infra.views.homes import by_home, view_stores
from projections.register import PROJECTIONS


def audit_log(
    settings: Settings, output: Output, *, url: str | None, views: bool
) -> AuditReport:
    """Audit the log of an installation, its snapshot, its server and its views."""
    running = running_server(settings.home)
    with (
        target_postgres(settings) as database_url,
        PostgresEventStore(database_url) as store,
    ):
        started = perf_counter()
        live = None
        if url is not None:
            live = live_state(url, settings, store)
        elif running is not None:
            live = live_state(running.base_url, settings, store, may_stand_by=True)
        snapshot = PostgresSnapshotStore(store.datastore).newest()
        position, rows = PostgresCredentials(store.datastore).all()
        audit = Audit(
            store.reader,
            snapshot=snapshot,
            live=live,
            credentials=SignInTable(rows, position),
        )
        head = store.reader.head()
        with output.progress("replaying the log") as gauge:
            audit.run(lambda reached: gauge(reached, max(head, reached)))
        seconds = perf_counter() - started
        views_result = None
        if views:
            with rebuild_lock(database_url):
                views_result = _views(
                    settings, output, database_url, store.reader, audit
                )
    return audit.report(views_result, seconds=seconds)


def _views(
    settings: Settings,
    output: Output,
    database_url: str,
    reader: LogReader,
    audit: Audit,
) -> Check:
    new_id = Identifiers(SystemClock()).new
    with (
        target_redis(settings) as redis_url,
        view_stores(database_url, redis_url) as stores,
        output.progress("rebuilding the read models") as gauge,
    ):
        return views_check(
            reader,
            list(by_home(stores, PROJECTIONS)),
            audit.findings,
            server_runs=audit.server_runs,
            new_id=new_id,
            progress=gauge,
        )


def live_state(
    url: str,
    settings: Settings,
    store: PostgresEventStore,
    *,
    may_stand_by: bool = False,
) -> LiveState | None:
    """Return the state in a server's memory, or None for a standby, which has none.

    Raises:
        ServerRefused, ServerUnreachable: the server did not return its state.
    """
    # Read the head first: all facts up to it must be in the server's answer.
    since = store.reader.head()
    client = administrator_client(settings, url)
    try:
        answer = client.ask("GET", "/v2/audit/state")
    except ServerRefused as refusal:
        if may_stand_by and refusal.answer.status == HTTPStatus.SERVICE_UNAVAILABLE:
            return None
        raise
    finally:
        client.close()
    streams: Sequence[LiveStream] = answer.read(list[LiveStream])
    return LiveState(streams, since)
