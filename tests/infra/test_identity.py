"""Identifiers, the clock that they come from, and passwords."""

import subprocess
import sys
import threading
import uuid

from infra.runtime.clock import SystemClock
from infra.runtime.ids import Identifiers
from infra.security.passwords import Argon2Hasher


class StoppedClock:
    def now(self) -> int:
        return 1_763_930_000_000_000


def test_an_identifier_is_a_uuid_of_version_7_that_names_its_millisecond():
    new = uuid.UUID(Identifiers(StoppedClock()).new())

    assert (new.version, new.variant) == (7, uuid.RFC_4122)
    assert new.int >> 80 == 1_763_930_000_000


def test_identifiers_rise_even_where_the_clock_stands_still():
    identifiers = Identifiers(StoppedClock())

    ids = [identifiers.new() for _ in range(10_000)]

    assert ids == sorted(set(ids))
    assert all(str(uuid.UUID(text)) == text for text in ids)


def test_threads_never_get_the_same_identifier():
    identifiers = Identifiers(SystemClock())
    ids: list[list[str]] = [[], [], [], []]

    def make(mine: list[str]) -> None:
        mine.extend(identifiers.new() for _ in range(5_000))

    threads = [threading.Thread(target=make, args=(mine,)) for mine in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({text for mine in ids for text in mine}) == 20_000


#: For a separate process, because one with threads should not fork.
FORKING = """
import os
from infra.runtime.clock import SystemClock
from infra.runtime.ids import Identifiers

identifiers = Identifiers(SystemClock())
identifiers.new()
if os.fork() == 0:
    os.write(1, identifiers.new().encode() + b"\\n")
    os._exit(0)
os.wait()
os.write(1, identifiers.new().encode() + b"\\n")
"""


def test_a_forked_child_draws_randomness_of_its_own():
    run = subprocess.run(
        [sys.executable, "-c", FORKING], capture_output=True, text=True, check=True
    )

    of_child, of_parent = run.stdout.split()
    assert of_child[-12:] != of_parent[-12:]


def test_a_password_verifies_against_its_hash_only():
    hasher = Argon2Hasher()
    stored = hasher.hash("correct horse")

    assert stored.startswith("$argon2id$")
    assert stored != hasher.hash("correct horse")
    assert hasher.verify(stored, "correct horse")
    assert not hasher.verify(stored, "wrong horse")
    assert not hasher.verify("no hash at all", "correct horse")
    assert hasher.verify(hasher.hash("caf\u00e9"), "cafe\u0301")
