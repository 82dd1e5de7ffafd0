"""The processes of one installation agree on their turns through its Postgres."""

import threading

from infra.log.connection import rebuild_lock

PATIENCE = 20


def test_one_process_at_a_time_fills_read_models_alongside_the_live_ones(
    database_url: str,
):
    waits, filled = threading.Event(), threading.Event()

    def fill() -> None:
        waits.set()
        with rebuild_lock(database_url):
            filled.set()

    with rebuild_lock(database_url):
        second = threading.Thread(target=fill)
        second.start()
        assert waits.wait(PATIENCE)
        assert not filled.wait(0.3)

    assert filled.wait(PATIENCE)
    second.join(PATIENCE)
