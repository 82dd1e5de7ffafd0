"""How many connections and requests an address may have, over real sockets."""

import pytest

from infra.http.bounds import bounds_of
from infra.runtime.address_ranges import AddressRanges
from infra.runtime.settings import SettingsError, read_settings
from tests.support.bounded_server import answered, bounded_server, refused, request


def test_one_address_has_so_many_connections_and_no_more():
    with bounded_server(connections_per_address=2) as server:
        clients = answered(server, 2)

        third, neighbor = server.client(), server.client("127.0.0.2")

        problem = refused(third, 429, "too-many-connections")
        assert problem["limit"] == 2
        neighbor.send(request("/"))
        assert neighbor.answer().status == 200
        clients[0].send(request("/", Connection="close"))
        assert clients[0].answer().status == 200
        assert clients[0].has_ended()
        answered(server, 1)


def test_one_address_has_so_many_requests_answered_at_a_time():
    with bounded_server(requests_per_address=2) as server:
        first, second, third = (server.client() for _ in range(3))
        for each in (first, second):
            each.send(b"POST /slow HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
        server.wait_until_begun(2)

        third.send(request("/third"))
        answered(server, 5, "127.0.0.2")
        begun = server.app.begun
        first.send(b"done")

        assert begun == 2 + 5
        assert first.answer().body == b"/slow done"
        assert third.answer().body == b"/third "


def test_a_request_whose_client_left_takes_no_turn():
    with bounded_server(requests_per_address=1) as server:
        first, second, third = (server.client() for _ in range(3))
        first.send(b"POST /slow HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
        server.wait_until_begun(1)

        second.send(request("/second"))
        second.close()
        third.send(request("/third"))
        first.close()

        assert third.answer().body == b"/third "


def test_a_request_that_goes_on_without_its_client_counts():
    with bounded_server(requests_per_address=1) as server:
        first = server.client()
        first.send(request("/deaf"))
        server.wait_until_begun(1)
        first.close()
        server.wait_until_empty()

        second = server.client()
        second.send(request("/second"))
        answered(server, 1, "127.0.0.2")
        begun = server.app.begun
        server.app.released.set()

        assert begun == 1 + 1
        assert second.answer().body == b"/second "


def test_all_addresses_together_have_so_many_connections():
    with bounded_server(connections=2) as server:
        answered(server, 2)

        third = server.client("127.0.0.2")

        refused(third, 503, "server-full")


def test_some_addresses_have_no_bound_but_that_of_the_server():
    unlimited = AddressRanges("127.0.0.2,127.0.1.0/24")
    with bounded_server(connections_per_address=1, unlimited=unlimited) as server:
        answered(server, 3, "127.0.0.2")
        answered(server, 3, "127.0.1.9")
        answered(server, 1)

        refused(server.client(), 429, "too-many-connections")


def test_refused_clients_that_stay_do_not_fill_the_server():
    with bounded_server(connections=1, linger_seconds=1_000) as server:
        answered(server, 1)
        refused_ones = [server.client() for _ in range(40)]

        # Some may stay to read their refusal. It cuts the rest off.
        assert refused_ones[-1].has_ended()
        assert server.open_connections < 40


def test_the_default_bounds_leave_files_for_the_server():
    bounds = bounds_of(read_settings({}), file_limit=256)
    wide = bounds_of(read_settings({}), file_limit=1_000_000)

    assert (bounds.connections, bounds.connections_per_address) == (128, 64)
    assert (wide.connections, wide.connections_per_address) == (4_096, 256)


def test_an_operator_chooses_the_bounds_of_connections():
    settings = read_settings(
        {
            "BOURSE_CONNECTIONS": "1000",
            "BOURSE_CONNECTIONS_PER_ADDRESS": "10",
            "BOURSE_REQUESTS_PER_ADDRESS": "5",
            "BOURSE_UNLIMITED_ADDRESSES": "none",
        }
    )

    bounds = bounds_of(settings, file_limit=100_000)

    assert (bounds.connections, bounds.connections_per_address) == (1_000, 10)
    assert bounds.requests_per_address == 5
    assert "127.0.0.1" not in bounds.unlimited
    with pytest.raises(SettingsError, match="Expected addresses or networks"):
        read_settings({"BOURSE_UNLIMITED_ADDRESSES": "localhost"})
