"""Registration, login, tokens, and the record of refusals."""

import asyncio

import jwt
import msgspec
import pytest

from api.app import create_app
from api.http.auth import Caller, Gate
from api.http.request_errors import NotSignedIn
from api.write.users import WAITING_MAX
from commands.companions import SignIn
from commands.ports import LogUnavailable
from domain.events.security import AccessRefused, LoginFailed
from domain.vocabulary import Role
from tests.support.calls import PASSWORD
from tests.support.people import Person
from tests.support.served import Served

ADA = {"email": "ada@example.org", "password": PASSWORD, "full_name": "Ada L"}
LOGIN = {"email": "ada@example.org", "password": PASSWORD}


async def test_registration_returns_the_new_account(server: Served):
    response = await server.client().post("/auth/register", json=ADA)

    assert response.status_code == 201
    body = response.json()
    assert body.keys() == {"user_id", "account_id", "email"}
    assert body["email"] == "ada@example.org"


async def test_an_address_registers_once_in_any_letter_case(server: Served):
    client = server.client()
    await client.post("/auth/register", json=ADA)

    again = ADA | {"email": "ADA@Example.org"}
    response = await client.post("/auth/register", json=again)

    assert response.status_code == 409
    assert response.json()["reason"] == "already-exists"


async def test_only_one_of_two_concurrent_registrations_gets_an_address(
    server: Served,
):
    client = server.client()

    responses = await asyncio.gather(
        *(client.post("/auth/register", json=ADA) for _ in range(2))
    )

    assert sorted(each.status_code for each in responses) == [201, 409]


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "no address"},
        {"email": "x" * 250 + "@example.org"},
        {"password": "short"},
        {"password": "x" * 129},
        {"full_name": "   "},
        {"full_name": "x" * 201},
        {"role": "admin"},
        {"email": None},
    ],
    ids=str,
)
async def test_an_invalid_registration_is_refused(
    server: Served, wrong: dict[str, object]
):
    response = await server.client().post("/auth/register", json=ADA | wrong)

    assert response.status_code == 422
    assert response.json()["code"] == 40010001
    assert response.json()["field"] == next(iter(wrong))


async def test_a_login_returns_a_valid_token(server: Served):
    client = server.client()
    account_id = (await client.post("/auth/register", json=ADA)).json()["account_id"]

    body = (await client.post("/auth/login", json=LOGIN)).json()

    assert body["token_type"] == "Bearer"
    assert body["expires_in"] == 12 * 3_600
    own = server.client(body["access_token"])
    assert (await own.get("/v2/account")).json()["id"] == account_id


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(
    server: Served,
):
    client = server.client()
    await client.post("/auth/register", json=ADA)

    wrong = await client.post("/auth/login", json=LOGIN | {"password": "wrong one"})
    unknown = await client.post("/auth/login", json=LOGIN | {"email": "b@c.org"})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()
    assert wrong.json()["code"] == 40110000


@pytest.mark.rule("USER-06")
async def test_a_server_that_does_not_lead_logs_in_but_does_not_register(
    server: Served,
):
    client = server.client()
    await client.post("/auth/register", json=ADA)
    await server.writer.stop()

    login = await client.post("/auth/login", json=LOGIN)
    register = await client.post("/auth/register", json=ADA | {"email": "b@c.org"})

    assert login.status_code == 200
    assert (register.status_code, register.json()["reason"]) == (503, "not-leading")


class AwayCredentials:
    """Credentials in a Postgres that is unavailable."""

    def of(self, claim: str) -> SignIn | None:
        raise LogUnavailable(f"away: {claim}")


@pytest.mark.parametrize("path", ["login", "register"])
async def test_a_login_without_credentials_is_unavailable_not_wrong(
    server: Served, path: str
):
    services = msgspec.structs.replace(server.services, credentials=AwayCredentials())
    server.app = create_app(services)

    body = LOGIN if path == "login" else ADA
    response = await server.client().post(f"/auth/{path}", json=body)

    assert (response.status_code, response.json()["reason"]) == (503, "log-unavailable")
    assert response.headers["Retry-After"]


async def test_a_failed_login_is_recorded(server: Served):
    await server.client().post("/auth/login", json=LOGIN)

    await server.record_refusals()
    await server.record_refusals()

    facts = server.log.reader.read(0, 100).facts
    assert [type(fact.event) for fact in facts] == [LoginFailed]


async def test_too_many_concurrent_logins_must_retry(server: Served):
    client = server.client()

    responses = await asyncio.gather(
        *(client.post("/auth/login", json=LOGIN) for _ in range(WAITING_MAX + 3))
    )

    statuses = {each.status_code for each in responses}
    assert statuses == {401, 503}
    busy = [each for each in responses if each.status_code == 503]
    assert busy[0].headers["Retry-After"]


@pytest.mark.parametrize(
    "header",
    [
        None,
        "Bearer",
        "Bearer nonsense",
        "Basic YTpi",
        "Bearer é",
        "Bearer a.b.c",
    ],
)
async def test_a_request_without_a_valid_token_is_refused(
    server: Served, header: str | None
):
    value = b"" if header is None else header.encode()
    headers = [(b"Authorization", value)] if value else []
    client = server.client()

    for method, path in (("GET", "/v2/account"), ("POST", "/v2/orders")):
        response = await client.request(method, path, headers=headers)
        assert response.status_code == 401
        assert response.json()["code"] == 40110000
        assert response.headers["WWW-Authenticate"] == "Bearer"


def unused(caller: Caller, route: str, at: int) -> None:
    raise AssertionError


class Unread:
    """A token reader that fails the test if the gate calls it."""

    def read(self, token: str) -> Caller | None:
        raise AssertionError(token)


def test_a_cached_token_is_refused_after_it_expires(server: Served, ada: Person):
    gate = Gate(server.tokens, server.clock.now, on_refused=unused)
    now = server.clock.now()
    caller = Caller(ada.user_id, ada.account_id, (Role.TRADER,), now + 10_000_000)
    header = b"Bearer " + server.tokens.issue(caller, now).encode()

    assert gate.admit(header, now).account_id == ada.account_id
    with pytest.raises(NotSignedIn, match="expired"):
        gate.admit(header, now + 10_000_000)


@pytest.mark.parametrize(
    "header",
    [
        "Bearer  {}",
        "Bearer {} ",
        "Bearer\t{}",
        " Bearer {}",
        "Bearer {}!",
        "Bearer {}=",
        "Bearer {}" + " " * 60_000,
    ],
    ids=lambda header: header[:12],
)
async def test_the_authorization_header_has_one_form(
    server: Served, ada: Person, header: str
):
    gate = Gate(server.tokens, server.clock.now, on_refused=unused)

    with pytest.raises(NotSignedIn):
        gate.admit(header.format(ada.token).encode(), server.clock.now())


async def test_a_header_longer_than_any_token_is_not_read(server: Served):
    gate = Gate(Unread(), server.clock.now, on_refused=unused)

    with pytest.raises(NotSignedIn):
        gate.admit(b"Bearer " + b"a" * 4_097, server.clock.now())


async def test_a_token_with_another_signature_is_refused(server: Served, ada: Person):
    claims = jwt.decode(ada.token, options={"verify_signature": False})
    forged = jwt.encode(claims | {"roles": ["admin"]}, "k" * 32, "HS256")
    unsigned = jwt.encode(claims, "", "none")

    for token in (forged, unsigned):
        response = await server.client(token).get("/v2/account")
        assert response.status_code == 401


async def test_a_client_cannot_claim_the_role_admin(ada: Person):
    path = f"/v2/admin/users/{ada.user_id}/roles"

    response = await ada.request("POST", path, {"role": "admin"})

    assert response.status_code == 403
    assert response.json()["code"] == 40310000


async def test_a_request_that_the_role_does_not_allow_is_recorded(
    server: Served, ada: Person
):
    await ada.request("POST", "/v2/admin/assets/ACME/halt")

    await server.record_refusals()

    facts = server.log.reader.read(0, 200).facts

    (refusal,) = [f.event for f in facts if isinstance(f.event, AccessRefused)]
    assert refusal.meta.actor == ada.user_id
    assert refusal.route == "POST /v2/admin/assets/{symbol}/halt"


async def test_a_role_that_an_admin_grants_is_in_the_next_login(
    server: Served, ada: Person, admin: Person
):
    path = f"/v2/admin/users/{ada.user_id}/roles"
    granted = await admin.sends("POST", path, {"role": "admin"})
    login = {"email": ada.email, "password": PASSWORD}
    body = (await server.client().post("/auth/login", json=login)).json()

    assert granted["roles"] == ["trader", "admin"]
    client = server.client(body["access_token"])
    assert (await client.get("/v2/audit/state")).status_code == 200
