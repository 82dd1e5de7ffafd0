"""A committed command gets its answer even if the writer has dropped its memory."""

import pytest

from commands.handlers import dispatch
from commands.messages import HaltMarket
from tests.support.calls import grant
from tests.support.people import Person
from tests.support.served import Served


@pytest.mark.parametrize(
    ("method", "path", "body", "shown"),
    [
        (
            "PATCH",
            "/v2/account/configurations",
            {"suspend_trade": True},
            {"suspend_trade": True},
        ),
        (
            "POST",
            "/v2/admin/assets",
            {"symbol": "NEW", "name": "New", "reference_price": 7},
            {"symbol": "NEW", "reference_price": "7"},
        ),
        ("PATCH", "/v2/admin/assets/ACME", {"name": "Other"}, {"name": "Other"}),
        (
            "POST",
            "/v2/admin/users/{user_id}/roles",
            {"role": "admin"},
            {"roles": ["trader", "admin"]},
        ),
    ],
    ids=["settings", "listing", "terms", "role"],
)
async def test_a_command_in_flight_gets_its_answer_after_a_defect_in_another(
    server: Served,
    ada: Person,
    admin: Person,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
    path: str,
    body: dict[str, object],
    shown: dict[str, object],
):
    path = path.format(user_id=ada.user_id)
    flying = await server.in_flight(admin.request(method, path, body))
    monkeypatch.delitem(dispatch.HANDLERS, HaltMarket)

    broken = await admin.request("POST", "/v2/admin/assets/ACME/halt")
    server.store.commits.let_go()
    response = await flying

    assert broken.status_code == 500
    assert response.is_success, response.text
    assert response.json().items() >= shown.items()


async def test_positions_close_in_one_commit_even_if_the_writer_drops_its_memory(
    server: Served, ada: Person, admin: Person, monkeypatch: pytest.MonkeyPatch
):
    await admin.list_asset("NEXT")
    await admin.does(grant(ada.account_id, "NEXT", 5, "1"))
    flying = await server.in_flight(ada.request("DELETE", "/v2/positions"))
    monkeypatch.delitem(dispatch.HANDLERS, HaltMarket)

    await admin.request("POST", "/v2/admin/assets/ACME/halt")
    server.store.commits.let_go()
    response = await flying

    assert response.status_code == 207
    assert [(each["symbol"], each["status"]) for each in response.json()] == [
        ("ACME", 200),
        ("NEXT", 200),
    ]
