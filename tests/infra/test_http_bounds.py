"""What a client may use up of the HTTP server, over real sockets."""

import gc

import pytest

from infra.http.protocol import BoundedProtocol
from tests.support.bounded_server import (
    answered,
    bounded_server,
    chunked,
    refused,
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


@pytest.mark.parametrize(
    "framing", [b"Name: a\r\n" * 25_000, b"Name: " + b"a" * 200_000]
)
def test_what_follows_the_last_chunk_is_64_kb_at_most(framing: bytes):
    with bounded_server() as server:
        client = server.client()

        client.send(chunked("/chunks", b"body").removesuffix(b"\r\n"))
        server.wait_until_begun(1)
        client.send(framing)
        client.send(framing)

        refused(client, 431, "headers-too-large")


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
