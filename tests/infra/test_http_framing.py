"""Requests on one connection, however their bytes arrive."""

import asyncio
import re
from typing import Any

import pytest
import uvicorn
from hypothesis import given, settings
from hypothesis import strategies as st
from uvicorn.server import ServerState

from infra.http.connections import Connections
from infra.http.protocol import BoundedProtocol
from tests.support.bounded_server import (
    WIDE,
    Echo,
    Recorder,
    answers_to,
    chunked,
    request,
)

#: Bodies that look like ends of heads, and one that is longer than a read.
BODIES = (b"", b"a", b"\r\n\r\n", b"\r\n\r\n" * 3_000, b"x" * 70_000, b'{"qty":"1"}')


def parts(body: bytes) -> list[bytes]:
    """Return the chunks of a body: an empty chunk would end it."""
    return [each for each in (body[:7], body[7:]) if each]


#: Requests, each with the body of its answer.
REQUESTS = (
    (request("/get"), b"/get "),
    *((request("/post", body), b"/post " + body) for body in BODIES),
    *((chunked("/chunks", *parts(body)), b"/chunks " + body) for body in BODIES),
)
OFFERS = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c"}
LAST = request("/last", Connection="close")


def protocol(app: Any = None) -> BoundedProtocol:
    config = uvicorn.Config(
        app or Echo(), ws="none", lifespan="off", log_config=None, access_log=False
    )
    config.load()
    options: dict[str, Any] = {"config": config, "server_state": ServerState()}
    return BoundedProtocol(Connections(WIDE), app_state={}, **options)


def bodies_in(answers: bytes) -> list[bytes]:
    """Return the bodies of answers that follow each other."""
    bodies: list[bytes] = []
    while answers:
        head, _, answers = answers.partition(b"\r\n\r\n")
        found = re.search(rb"content-length: (\d+)", head)
        assert found is not None, head
        length = int(found[1])
        bodies.append(answers[:length])
        answers = answers[length:]
    return bodies


@settings(max_examples=200)
@given(
    requests=st.lists(st.sampled_from(REQUESTS), max_size=6),
    cuts=st.lists(st.integers(0, 80_000), max_size=8),
)
def test_answers_do_not_depend_on_how_the_bytes_are_cut(
    requests: list[tuple[bytes, bytes]], cuts: list[int]
):
    sent = b"".join(each for each, _ in requests) + LAST
    ends = sorted({*(cut % len(sent) for cut in cuts), len(sent)})
    starts = [0, *ends[:-1]]

    pieces = [sent[start:end] for start, end in zip(starts, ends, strict=True)]
    written = asyncio.run(answers_to(protocol, pieces))

    assert bodies_in(written) == [answer for _, answer in requests] + [b"/last "]


@pytest.mark.parametrize("at", range(1, 80))
def test_the_end_of_a_head_may_be_cut_anywhere(at: int):
    requests = request("/one", b"first") + request("/two") + LAST

    written = asyncio.run(answers_to(protocol, [requests[:at], requests[at:]]))

    assert bodies_in(written) == [b"/one first", b"/two ", b"/last "]


def test_what_follows_the_last_chunk_is_no_header():
    seen: list[Any] = []

    async def echo(scope: Any, receive: Any, send: Any) -> None:
        await Echo()(scope, receive, send)
        seen.append(scope["headers"])

    sent = chunked("/chunks", b"body").removesuffix(b"\r\n") + b"Name: a\r\n\r\n"

    asyncio.run(answers_to(lambda: protocol(echo), [sent + LAST]))

    assert seen[0] == [(b"transfer-encoding", b"chunked")]


async def test_a_client_that_reads_slowly_is_not_cut_off():
    connection, transport = protocol(), Recorder()
    connection.connection_made(transport)
    connection.pause_writing()
    begun = connection.loop.time()

    for seconds, transport.unread in enumerate((300, 200, 200, 100), 1):
        connection.look(begun + seconds * 0.9 * WIDE.unread_seconds)
    was_cut_off = transport.is_closing()
    connection.look(begun + 6 * WIDE.unread_seconds)

    assert not was_cut_off
    assert transport.is_closing()
    connection.connection_lost(None)


@pytest.mark.parametrize("body", BODIES[1:])
async def test_a_request_that_offers_another_protocol_keeps_its_body(body: bytes):
    offering = request("/post", body, **OFFERS)

    written = await answers_to(protocol, [offering, LAST])

    assert bodies_in(written) == [b"/post " + body, b"/last "]
