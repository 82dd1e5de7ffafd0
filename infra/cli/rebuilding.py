"""`bourse rebuild`: replaces read models by what the log gives, if the log is sound."""

from collections.abc import Sequence

from infra.access.target_servers import target_postgres, target_redis
from infra.audit.findings import Violation
from infra.backup.restoring import Forcing
from infra.cli.audit_log import audit_log
from infra.cli.output import Output
from infra.log.connection import rebuild_lock
from infra.log.event_store import PostgresEventStore
from infra.runtime.clock import SystemClock
from infra.runtime.ids import Identifiers
from infra.runtime.settings import Settings
from infra.security import security_outbox
from infra.views.homes import by_home, view_stores
from processors.rebuild import Report, projections_named, rebuild
from projections.projection import Projection
from projections.store import Request, Store


class LogUnsound(Exception):
    """The log does not pass the audit, so a read model may be the better witness."""

    code = "log-unsound"

    def __init__(self, violations: Sequence[Violation]) -> None:
        first = violations[0]
        super().__init__(
            f"the log is not sound: {first.check}, log position {first.position}, "
            f"{first.stream}: {first.what}; a rebuild would replace what the read "
            "models show. Compare the log with the last good backup first, or repeat "
            "with --force"
        )


def rebuild_views(
    settings: Settings, output: Output, name: str, forcing: Forcing | None = None
) -> list[Report]:
    """Rebuild one read model, or `all`, each in its store.

    A read model that is not live is filled whatever the log is: this repairs it.

    Raises:
        LogUnsound: a live read model would be replaced from a log that is not sound.
    """
    new_id = Identifiers(SystemClock()).new
    with (
        target_postgres(settings) as database_url,
        target_redis(settings) as redis_url,
        PostgresEventStore(database_url) as store,
        view_stores(database_url, redis_url) as stores,
    ):
        homes = list(by_home(stores, projections_named(name)))
        if any(_shows_some(views, types) for views, types in homes):
            _check_log(settings, output, store, forcing)
        with rebuild_lock(database_url), output.progress("rebuilding") as gauge:
            return [
                report
                for views, types in homes
                for report in rebuild(
                    store.reader, views, types, new_id=new_id, progress=gauge
                )
            ]


def _shows_some(views: Store, types: Sequence[type[Projection]]) -> bool:
    """Return whether a store shows any of these read models at present."""
    live = views.read([Request(each.view, ()) for each in types])
    return any(each is not None for each in live)


def _check_log(
    settings: Settings,
    output: Output,
    store: PostgresEventStore,
    forcing: Forcing | None,
) -> None:
    report = audit_log(settings, output, url=None, views=False)
    if report.passed:
        return
    failed = LogUnsound(report.violations)
    if forcing is None:
        raise failed
    with store.datastore.rows() as cursor:
        security_outbox.keep(cursor, forcing(failed.code))
