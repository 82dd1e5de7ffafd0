"""The page at /schema: it needs no other host, and what is not there is a problem."""

import re
from urllib.parse import urljoin

import pytest

from tests.support.served import Served


async def test_the_page_loads_only_files_of_this_server(server: Served):
    page = await server.client().get("/schema")

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert "/schema/openapi.json" in links
    for link in links:
        assert urljoin("http://bourse.test", link).startswith("http://bourse.test/")
        file = await server.client().get(link)
        assert file.status_code == 200, link
        assert file.content, link
    assert "://" not in page.text


async def test_the_page_may_ask_no_other_host(server: Served):
    page = await server.client().get("/schema")

    policy = page.headers["content-security-policy"]
    directives = [each.split() for each in policy.split(";")]
    sources = {source for _, *sources in directives for source in sources}
    assert ["default-src", "'none'"] in directives
    assert ["script-src", "'self'"] in directives
    assert sources == {"'none'", "'self'", "'unsafe-inline'", "data:"}
    start = await server.client().get("/schema/start.js")
    assert "validatorUrl: null" in start.text
    assert "://" not in start.text


@pytest.mark.parametrize("path", ["/schema/nothing", "/schema/a/b", "/schema/swagger"])
async def test_an_unknown_path_below_the_page_is_a_problem(server: Served, path: str):
    answer = await server.client().get(path)

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/json"
    assert (answer.json()["code"], answer.json()["reason"]) == (40410000, "not-found")


async def test_the_document_is_json_and_the_first_page_links_to_the_rendered_one(
    server: Served,
):
    document = await server.client().get("/schema/openapi.json")
    home = await server.client().get("/")

    assert document.headers["content-type"] == "application/json"
    assert document.json()["openapi"].startswith("3.1")
    assert "content-security-policy" not in document.headers
    assert 'href="/schema"' in home.text
