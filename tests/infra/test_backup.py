"""A backup holds everything, and a restore returns all of it or nothing."""

import random
import stat
import zipfile
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from eventsourcing.persistence import Tracking

from commands.ports import LogUnavailable
from commands.writer.recovery import take_snapshot
from domain.events.event import Meta
from domain.events.register import Fact, Recorded
from domain.events.security import LoginFailed
from domain.ids import LogPosition
from infra.backup.errors import (
    BackupDamaged,
    BackupError,
    BackupUnreadable,
    LogInUse,
    LogNotEmpty,
)
from infra.backup.restoring import restore
from infra.backup.writing import backup
from infra.log.connection import connect
from infra.log.event_codec import encode_event
from infra.log.event_store import PostgresEventStore
from infra.log.migrations import migrate
from infra.log.snapshots import PostgresSnapshotStore
from infra.security.credentials import PostgresCredentials
from infra.security.installation_secret import installation_keys
from infra.security.personal_data import PostgresKeyTable, Vault
from infra.security.security_outbox import PostgresSecurityOutbox
from infra.views.postgres_store import PostgresStore
from projections.store import Place, Request, Step, View
from tests.support.facts import recorded
from tests.support.flow import Flow
from tests.support.refusals import AT, Refusals
from tests.support.stored_log import write_log

FACTS = Flow(accounts=2, symbols=1).run(20)
NOTE = LoginFailed(Meta(AT, "anonymous", "note-1"), "claim")
UNNUMBERED = Path(__file__).parents[1] / "golden" / "unnumbered_schema.sql"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "bourse.backup"


def lived_in(database_url: str) -> tuple[Refusals, str]:
    """Fill every table of ours; return a stream to extend, and a sealed name."""
    write_log(database_url, FACTS)
    stream = Refusals()
    with PostgresEventStore(database_url) as store:
        append(store, stream.events(3))
        store.recorder().insert_tracking(Tracking("mailer", 2))
        take_snapshot(store.reader, PostgresSnapshotStore(store.datastore))
        PostgresSecurityOutbox(store.datastore).add([NOTE])
        sealed = vault(store).seal("alice", "Alice")
    return stream, sealed


def append(store: PostgresEventStore, events: Sequence[Recorded]) -> LogPosition:
    """Append in an epoch that begins and ends here; return the first log position."""
    writer = store.acquire()
    assert writer is not None
    with closing(writer):
        return writer.append(events)


def vault(store: PostgresEventStore) -> Vault:
    keys = installation_keys(store.datastore, None)
    return Vault(PostgresKeyTable(store.datastore), keys)


def rewritten(
    file: Path,
    change: Callable[[str, bytes], bytes],
    compression: int = zipfile.ZIP_DEFLATED,
) -> None:
    with zipfile.ZipFile(file) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in content.items():
            archive.writestr(name, change(name, data))


def facts(store: PostgresEventStore) -> list[Fact]:
    return [fact for part in store.reader.replay(0) for fact in part.facts]


def snapshot_of(store: PostgresEventStore) -> tuple[LogPosition, list[bytes]]:
    snapshot = PostgresSnapshotStore(store.datastore).newest()
    assert snapshot is not None
    return snapshot.position, list(snapshot.chunks)


def test_everything_comes_back(database_url: str, empty_url: str, file: Path):
    stream, sealed = lived_in(database_url)
    written = backup(database_url, file)

    restored = restore(empty_url, file)

    assert restored == written
    with PostgresEventStore(database_url) as old, PostgresEventStore(empty_url) as new:
        assert facts(new) == facts(old)
        assert new.recorder().max_tracking_id("mailer") == 2
        assert snapshot_of(new) == snapshot_of(old)
        assert PostgresSecurityOutbox(new.datastore).pending(10) == [NOTE]
        assert vault(new).open("alice", sealed) == "Alice"
        credentials = PostgresCredentials(new.datastore).all()
        assert credentials == PostgresCredentials(old.datastore).all()

        writer = new.acquire()
        assert writer is not None
        with closing(writer):
            assert writer.epoch > written.epoch
            assert writer.append(stream.events()) == written.head + 1


def test_a_backup_alongside_a_live_server_is_of_one_moment(
    database_url: str, empty_url: str, file: Path
):
    stream = Refusals()
    with PostgresEventStore(database_url) as store:
        writer = store.acquire()
        assert writer is not None
        with closing(writer):
            events = stream.events(2)
            writer.append(events)
            late: list[LogPosition] = []

            def go_on(table: str, _done: int, _rows: int) -> None:
                if table == "events":
                    late.append(writer.append(stream.events()))

            manifest = backup(database_url, file, progress=go_on)

    restore(empty_url, file)

    assert late > [manifest.head]
    with PostgresEventStore(empty_url) as restored:
        assert recorded(restored.reader.read(0, 10).facts) == events


def test_a_restore_forgets_the_views_of_the_empty_log(
    database_url: str, empty_url: str, file: Path
):
    lived_in(database_url)
    backup(database_url, file)
    migrate(empty_url)
    store, view = PostgresStore(empty_url), View("statements")
    assert store.write([Step(view, "1-old", None, 0, False, ())], ())
    assert store.switch(view, Place("1-old", 0))

    restore(empty_url, file)

    assert store.read([Request(view, ())]) == [None]
    assert store.generations(view) == []
    store.close()


def unnumbered(name: str, data: bytes) -> bytes:
    """Return the manifest in the form from before migrations had numbers."""
    return data.replace(b'"format":2,"schema":1,', b'"format":1,"schema":"2",')


def test_a_backup_from_before_migrations_had_numbers_is_restored_and_migrated(
    database_url: str, empty_url: str, file: Path
):
    stream = Refusals()
    events = stream.events(3)
    with connect(database_url, name="test") as connection:
        connection.execute(UNNUMBERED.read_bytes())
        for each in events:
            connection.execute(
                "INSERT INTO events VALUES (%s, %s, 'security.login-failed', %s)",
                (each.stream, each.version, encode_event(each.event)),
            )
    backup(database_url, file)
    rewritten(file, unnumbered)
    with PostgresEventStore(empty_url) as store:
        led = store.acquire()
        assert led is not None
        led.close()

    restore(empty_url, file)

    with PostgresEventStore(empty_url) as store:
        assert recorded(store.reader.read(0, 10).facts) == events
        writer = store.acquire()
        assert writer is not None
        with closing(writer):
            # No epoch comes twice, although the restore created the tables again.
            assert writer.epoch > led.epoch
            assert writer.append(stream.events()) == 4


def test_a_backup_of_nothing_can_be_restored(
    database_url: str, empty_url: str, file: Path
):
    PostgresEventStore(database_url).close()

    assert backup(database_url, file).head == 0
    restore(empty_url, file)

    with PostgresEventStore(empty_url) as store:
        writer = store.acquire()
        assert writer is not None
        with closing(writer):
            assert writer.append(Refusals().events()) == 1


def test_a_database_without_a_log_has_no_backup(database_url: str, file: Path):
    with pytest.raises(BackupError, match="no log"):
        backup(database_url, file)

    assert list(file.parent.iterdir()) == []


def test_only_its_owner_may_read_a_backup(database_url: str, file: Path):
    PostgresEventStore(database_url).close()
    backup(database_url, file)
    file.chmod(0o644)

    # The new backup replaces an older one.
    backup(database_url, file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_what_is_no_backup_is_never_written_over(database_url: str, tmp_path: Path):
    PostgresEventStore(database_url).close()
    notes, folder = tmp_path / "notes", tmp_path / "folder"
    notes.write_text("mine")
    folder.mkdir()

    for place in (notes, folder, Path("/dev/null"), tmp_path / "none" / "file"):
        with pytest.raises(BackupError):
            backup(database_url, place)

    assert notes.read_text() == "mine"
    assert Path("/dev/null").is_char_device()


def test_a_log_with_events_is_never_restored_into(database_url: str, file: Path):
    lived_in(database_url)
    backup(database_url, file)

    with pytest.raises(LogNotEmpty):
        restore(database_url, file)


def test_a_database_that_a_server_leads_on_is_never_restored_into(
    database_url: str, empty_url: str, file: Path
):
    lived_in(database_url)
    backup(database_url, file)
    with PostgresEventStore(empty_url) as store:
        writer = store.acquire()
        assert writer is not None
        with closing(writer), pytest.raises(LogInUse):
            restore(empty_url, file)


def other_bytes(name: str, data: bytes) -> bytes:
    return data.replace(b"6a1c", b"6a1d") if name == "events" else data


def other_count(name: str, data: bytes) -> bytes:
    return data.replace(b'"rows":', b'"rows":1') if name == "manifest.json" else data


def other_head(name: str, data: bytes) -> bytes:
    return data.replace(b'"head":', b'"head":1') if name == "manifest.json" else data


def other_format(name: str, data: bytes) -> bytes:
    return data.replace(b'"format":2', b'"format":9')


def newer_schema(name: str, data: bytes) -> bytes:
    return data.replace(b'"schema":', b'"schema":9')


def no_manifest(name: str, data: bytes) -> bytes:
    return b"{}" if name == "manifest.json" else data


@pytest.mark.parametrize(
    ("change", "error"),
    [
        (other_bytes, BackupDamaged),
        (other_count, BackupDamaged),
        (other_head, BackupDamaged),
        (other_format, BackupUnreadable),
        (newer_schema, BackupUnreadable),
        (no_manifest, BackupUnreadable),
    ],
)
def test_a_damaged_backup_changes_nothing(
    database_url: str,
    empty_url: str,
    file: Path,
    change: Callable[[str, bytes], bytes],
    error: type[BackupError],
):
    lived_in(database_url)
    backup(database_url, file)
    rewritten(file, change)

    with pytest.raises(error):
        restore(empty_url, file)

    with PostgresEventStore(empty_url) as store:
        assert store.reader.head() == 0
        assert store.recorder().max_tracking_id("mailer") is None


def corrupted(whole: bytes, chance: random.Random) -> bytes:
    """Return the file with changed bytes, sometimes truncated or with more bytes."""
    damaged = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    if chance.random() < 0.1:
        del damaged[chance.randrange(len(damaged)) :]
    if chance.random() < 0.1:
        place = chance.randrange(len(damaged) + 1)
        damaged[place:place] = chance.randbytes(20)
    return bytes(damaged)


def test_whatever_happened_to_its_bytes_a_backup_is_damaged_or_whole(
    database_url: str, file: Path
):
    lived_in(database_url)
    backup(database_url, file)
    whole, chance = file.read_bytes(), random.Random(191)
    errors = Counter[type[Exception]]()

    for _ in range(3_000):
        file.write_bytes(corrupted(whole, chance))
        # Only a whole file gets as far as the database, which does not exist.
        with pytest.raises((BackupError, LogUnavailable)) as error:
            restore("postgresql://nobody@127.0.0.1:1/none", file)
        errors[error.type] += 1

    assert errors.keys() == {BackupDamaged, BackupUnreadable, LogUnavailable}
    assert errors[BackupDamaged] > 1_000


def test_a_backup_is_unpacked_in_the_one_way_in_which_it_is_packed(
    database_url: str, file: Path
):
    lived_in(database_url)
    backup(database_url, file)
    rewritten(file, lambda _name, data: data, compression=zipfile.ZIP_BZIP2)

    with pytest.raises(BackupDamaged, match="packed"):
        restore(database_url, file)


@pytest.mark.parametrize(
    "content",
    # The last one is an empty zip.
    [None, b"", b"PK no zip at all", b"PK\x05\x06" + bytes(18)],
)
def test_a_file_that_is_no_backup_is_reported(
    empty_url: str, file: Path, content: bytes | None
):
    if content is not None:
        file.write_bytes(content)

    with pytest.raises(BackupUnreadable):
        restore(empty_url, file)


def test_a_backup_reports_progress_for_each_table(
    database_url: str, empty_url: str, file: Path
):
    lived_in(database_url)
    calls: list[tuple[str, int, int]] = []

    def note(table: str, done: int, rows: int) -> None:
        calls.append((table, done, rows))

    backup(database_url, file, progress=note)
    restore(empty_url, file, progress=note)

    rows = len(FACTS) + 3
    assert calls.count(("events", rows, rows)) == 2
    assert calls[-1] == ("validation", rows, rows)
