"""E-mail addresses: nobody registers a twin, and no older user is locked out."""

import httpx
import pytest

from commands.messages import Register
from tests.support.calls import PASSWORD
from tests.support.served import Served

ADA = "ada@example.org"
UNICODE, ASCII = "ada@ex\u00e4mple.org", "ada@xn--exmple-cua.org"


async def registered(
    server: Served, email: str, password: str = PASSWORD
) -> httpx.Response:
    body = {"email": email, "password": password, "full_name": "Ada L"}
    return await server.client().post("/auth/register", json=body)


async def signed_in(
    server: Served, email: str, password: str = PASSWORD
) -> httpx.Response:
    body = {"email": email, "password": password}
    return await server.client().post("/auth/login", json=body)


def user_in(server: Served, login: httpx.Response) -> str:
    """Return the id of the user whom a login signed in."""
    caller = server.tokens.read(login.json()["access_token"])
    assert caller is not None
    return caller.user_id


async def claimed_by_an_older_version(
    server: Served, email: str, password: str = PASSWORD
) -> str:
    """Register as versions before rule USER-08 did; return the user's id."""
    services, user_id = server.services, server.new_id()
    seal = services.vault.seal
    await server.writer.execute(
        Register(
            server.system_meta(),
            user_id,
            server.new_id(),
            services.vault.claim(email),
            seal(user_id, email),
            seal(user_id, "Ada L"),
            services.passwords.hash(password),
        )
    )
    return user_id


@pytest.mark.rule("USER-08")
@pytest.mark.parametrize(
    "twin",
    [
        "a\u034fda@example.org",
        "ada\ufe0f@example.org",
        "\u115fada@example.org",
        "ada\u3164@example.org",
        "ada\uff20example.org",
        "ada@\uff45xample.org",
        "\uff45da@example.org",
        "\u0430da@example.org",
        "ada@exam\u034fple.org",
        "ada@example\u2060.org",
        "ada@example\u3002org",
        "a\u200bda@example.org",
        "a\u00adda@example.org",
        "a\u3000da@example.org",
        "ada\x7f@example.org",
        " ada@example.org",
    ],
    ids=ascii,
)
async def test_an_address_that_only_looks_like_another_is_refused(
    server: Served, twin: str
):
    await registered(server, ADA)

    refused = await registered(server, twin)

    problem = refused.json()
    assert (refused.status_code, problem["reason"]) == (422, "invalid-parameter")
    assert problem["field"] == "email"
    assert problem["message"].startswith("email must be an address like ")
    assert problem["message"].isprintable()
    assert (await signed_in(server, ADA)).status_code == 200


@pytest.mark.rule("USER-08")
@pytest.mark.parametrize(
    "wrong",
    [
        "a@b",
        "<script>@example.org",
        'a"b@example.org',
        '"a b"@example.org',
        "Ada <ada@example.org>",
        "a,b@example.org",
        "a\\b@example.org",
        "a@<example>.org",
        "a@[127.0.0.1]",
        "a..b@example.org",
        "x" * 100_000,
    ],
)
async def test_an_address_has_the_form_that_mail_servers_take(
    server: Served, wrong: str
):
    refused = await registered(server, wrong)

    assert (refused.status_code, refused.json()["field"]) == (422, "email")


@pytest.mark.rule("USER-08")
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("o'neil+bourse_1@mail.example.org", "o'neil+bourse_1@mail.example.org"),
        ("Ada.L@Example.ORG", "Ada.L@example.org"),
        ("ada@corp.local", "ada@corp.local"),
        ("ada@venue.test", "ada@venue.test"),
        ("ada@EX\u00c4MPLE.org", ASCII),
        ("ada@ex\u0430mple.org", "ada@xn--exmple-4nf.org"),
    ],
    ids=ascii,
)
async def test_an_address_is_kept_with_its_domain_in_ascii(
    server: Served, typed: str, kept: str
):
    answer = await registered(server, typed)

    assert (answer.status_code, answer.json()["email"]) == (201, kept)
    assert (await signed_in(server, typed)).status_code == 200
    assert (await signed_in(server, kept)).status_code == 200


@pytest.mark.rule("USER-08")
@pytest.mark.parametrize("first", [UNICODE, ASCII])
async def test_both_forms_of_a_domain_are_one_person(server: Served, first: str):
    await registered(server, first)

    for spelling in (UNICODE, ASCII, UNICODE.upper(), "ada@exa\u0308mple.org"):
        assert (await registered(server, spelling)).status_code == 409
        assert (await signed_in(server, spelling)).status_code == 200


@pytest.mark.rule("USER-09")
@pytest.mark.parametrize(
    "email",
    [
        UNICODE,
        "jos\u00e9@example.org",
        "\uff45da@example.org",
        "ada@\uff45xample.org",
        "ada\ufe0f@example.org",
        "ada@exam\u034fple.org",
    ],
    ids=ascii,
)
async def test_a_user_of_an_older_spelling_signs_in(server: Served, email: str):
    user_id = await claimed_by_an_older_version(server, email)

    answer = await signed_in(server, email)

    assert user_in(server, answer) == user_id
    assert (await signed_in(server, ADA)).status_code == 401
    assert (await signed_in(server, email, "another word")).status_code == 401


@pytest.mark.rule("USER-09")
@pytest.mark.parametrize("spelling", [UNICODE, ASCII])
async def test_nobody_registers_what_an_older_spelling_claims(
    server: Served, spelling: str
):
    await claimed_by_an_older_version(server, UNICODE)

    again = await registered(server, spelling)

    assert (again.status_code, again.json()["reason"]) == (409, "already-exists")


@pytest.mark.rule("USER-09")
@pytest.mark.parametrize("typed", [UNICODE, ASCII])
async def test_the_password_tells_two_users_of_one_address_apart(
    server: Served, typed: str
):
    users = {
        email: await claimed_by_an_older_version(server, email, f"password of {email}")
        for email in (UNICODE, ASCII)
    }

    for email, user_id in users.items():
        answer = await signed_in(server, typed, f"password of {email}")
        assert user_in(server, answer) == user_id
