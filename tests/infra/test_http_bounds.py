"""What a client may use up of the HTTP server, over real sockets."""

import gc
from typing import Any

import pytest

from infra.http.bounds import bounds_of
from infra.http.protocol import BoundedProtocol
from infra.runtime.address_ranges import AddressRanges
from infra.runtime.settings import SettingsError, read_settings
from tests.support.bounded_server import (
    BoundedServer,
    Client,
    bounded_server,
    request,
)

SHORT = 0.1
LINE = 8_192


def test_pipelined_requests_are_answered_in_order_and_never_queued():
    count = 1_000
    with bounded_server() as server:
        client = server.client()

        client.send(*(request(f"/{number}") for number in range(count)))
        answers = [client.answer().body for _ in range(count)]

        assert answers == [b"/%d " % number for number in range(count)]
        # One that is being answered, one that ended, one that begins.
        assert server.app.most_requests <= 3


def test_a_client_that_leaves_an_answer_unread_is_cut_off():
    with bounded_server(unread_seconds=SHORT) as server:
        client = server.client()

        client.send(request("/large") * 1_000)

        server.wait_until_empty()


def test_a_client_that_leaves_its_last_answer_unread_is_cut_off():
    with bounded_server(unread_seconds=SHORT) as server:
        client = server.client()

        client.send(request("/huge", Connection="close"))

        server.wait_until_empty()


def test_a_server_ends_at_once_though_a_client_leaves_its_answer_unread():
    with bounded_server() as server:
        client, idle = server.client(), server.client()
        idle.send(request("/"))
        idle.answer()
        client.send(request("/large") * 1_000)
        client.answer()

        assert server.stop()


def test_a_server_ends_at_once_though_a_body_has_not_arrived():
    with bounded_server() as server:
        client = server.client()
        client.send(b"POST /slow HTTP/1.1\r\nContent-Length: 4\r\n\r\n")
        server.wait_until_begun(1)

        assert server.stop()
        refused(client, 408, "request-too-slow")


@pytest.mark.parametrize("rest", [b"", b" HTTP/1.1\r\n\r\n"], ids=["endless", "whole"])
def test_a_request_target_is_8_kb_at_most(rest: bytes):
    with bounded_server() as server:
        longest, longer = server.client(), server.client()

        longest.send(request("/" + "a" * (LINE - 1)))
        longer.send(b"GET /" + b"a" * LINE + rest)

        assert longest.answer().status == 200
        refused(longer, 414, "target-too-long")


def test_a_header_is_8_kb_at_most():
    with bounded_server() as server:
        longest, longer = server.client(), server.client()

        longest.send(request("/", Name="a" * (LINE - 4)))
        longer.send(request("/", Name="a" * (LINE - 3)))

        assert longest.answer().status == 200
        refused(longer, 431, "headers-too-large")


@pytest.mark.parametrize("is_whole", [False, True])
def test_all_headers_are_64_kb_at_most(is_whole: bool):
    with bounded_server() as server:
        client = server.client()
        headers = {f"Name-{number}": "a" * 8_000 for number in range(9)}

        whole = request("/", None, **headers)
        client.send(whole if is_whole else whole.removesuffix(b"\r\n\r\n"))

        refused(client, 431, "headers-too-large")


def test_a_header_of_100_mb_is_refused_before_it_has_arrived():
    with bounded_server() as server:
        client = server.client()

        with pytest.raises(ConnectionError):
            client.send(b"GET / HTTP/1.1\r\nName: " + b"a" * 100_000_000)

        assert client.has_ended()


def test_what_is_not_http_is_refused_in_the_form_of_every_error():
    with bounded_server() as server:
        client = server.client()

        client.send(b"hello\r\n\r\n")

        refused(client, 400, "malformed-request")


def test_a_refusal_comes_after_the_answers_before_it():
    with bounded_server() as server:
        client = server.client()

        client.send(request("/1"), request("/2"), b"hello\r\n\r\n")

        assert [client.answer().body for _ in range(2)] == [b"/1 ", b"/2 "]
        refused(client, 400, "malformed-request")


def test_a_head_that_trickles_in_is_refused():
    with bounded_server(head_seconds=SHORT) as server:
        client = server.client()

        client.send(b"GET / HTTP/1.1\r\nName: ")
        client.trickle(b"a")

        refused(client, 408, "request-too-slow")


def test_empty_lines_do_not_keep_a_connection():
    with bounded_server(head_seconds=SHORT) as server:
        client = server.client()

        client.trickle(b"\r\n")

        refused(client, 408, "request-too-slow")


@pytest.mark.parametrize(
    ("length", "byte"),
    [(b"Content-Length: 1000", b"a"), (b"Transfer-Encoding: chunked", b"0")],
)
def test_a_body_that_trickles_in_is_refused(length: bytes, byte: bytes):
    with bounded_server(body_seconds=SHORT) as server:
        client = server.client()

        client.send(b"POST /slow HTTP/1.1\r\n", length, b"\r\n\r\n")
        client.trickle(byte)

        refused(client, 408, "request-too-slow")


def test_a_body_that_trickles_in_after_its_answer_ends_the_connection():
    with bounded_server(body_seconds=SHORT) as server:
        client = server.client()

        client.send(b"POST /early HTTP/1.1\r\nContent-Length: 1000\r\n\r\n")

        assert client.answer().status == 200
        assert client.has_ended()


def test_a_connection_ends_if_no_request_comes():
    with bounded_server(idle_seconds=SHORT) as server:
        client = server.client()
        client.send(request("/"))
        client.answer()

        assert client.has_ended()


def test_a_connection_ends_if_no_first_request_comes():
    with bounded_server(head_seconds=SHORT) as server:
        assert server.client().has_ended()


@pytest.mark.parametrize(
    "body",
    [b"Content-Length: 10000000000", b"Transfer-Encoding: chunked"],
    ids=["longer than any body may be", "of unknown length"],
)
def test_the_rest_of_a_body_is_not_read_after_its_answer(body: bytes):
    with bounded_server() as server:
        client = server.client()

        client.send(b"POST /early HTTP/1.1\r\n", body, b"\r\n\r\n")

        assert client.answer().body == b"/early "
        assert client.has_ended()


def test_a_short_body_may_follow_its_answer():
    with bounded_server() as server:
        client = server.client()

        client.send(b"POST /early HTTP/1.1\r\nContent-Length: 10000\r\n\r\n")
        early = client.answer()
        client.send(b"a" * 10_000, request("/next"))

        assert early.body == b"/early "
        assert client.answer().body == b"/next "


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


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        request("/", Connection="close"),
        request("/large") * 10 + request("/", Connection="close"),
        b"GET /" + b"a" * 100_000,
        b"GET / HTTP/1.1\r\nName: " + b"a" * 100_000,
        request("/", Name="a" * LINE),
        b"hello\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n",
    ],
)
def test_a_connection_that_ended_leaves_nothing_to_the_garbage_collector(sent: bytes):
    with bounded_server(head_seconds=SHORT, body_seconds=SHORT) as server:
        gc.collect()
        gc.disable()
        try:
            client = server.client()
            client.send(sent)
            assert client.has_ended()
            server.wait_until_empty()
            answered(server, 1)
            left = [each for each in gc.get_objects() if is_protocol(each)]
        finally:
            gc.enable()

        assert len(left) == server.open_connections == 1


def is_protocol(each: object) -> bool:
    return type(each) is BoundedProtocol


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


def answered(
    server: BoundedServer, count: int, host: str = "127.0.0.1"
) -> list[Client]:
    """Return clients of an address, each with an answer."""
    clients = [server.client(host) for _ in range(count)]
    for each in clients:
        each.send(request("/"))
        assert each.answer().status == 200
    return clients


def refused(client: Client, status: int, reason: str) -> dict[str, Any]:
    """Assert that a client gets this refusal and the end, and return the problem."""
    answer = client.answer()
    assert (answer.status, answer.problem["reason"]) == (status, reason)
    assert answer.problem["code"] // 100_000 == status
    assert answer.headers["connection"] == "close"
    assert ("retry-after" in answer.headers) is (status in {429, 503})
    assert client.has_ended()
    return answer.problem
