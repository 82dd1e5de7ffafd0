"""An account over HTTP: its cash, its shares, their value, and closing positions."""

import pytest

from tests.support.calls import deposit, grant, order
from tests.support.people import Person
from tests.support.served import Served


async def test_cash_is_the_ledger_balance_and_buying_power_the_available_balance(
    ada: Person,
):
    await ada.places(qty=10, limit_price=100)

    account = await ada.gets("/v2/account")

    assert account["id"] == ada.account_id
    assert account["status"] == "ACTIVE"
    assert (account["cash"], account["buying_power"]) == ("1000000", "999000")


async def test_equity_is_cash_and_shares_at_the_published_price(ada: Person):
    account = await ada.gets("/v2/account")

    assert account["long_market_value"] == "1000000"
    assert account["equity"] == account["portfolio_value"] == "2000000"


async def test_equity_never_counts_a_share_twice_during_a_purchase(
    server: Served, ada: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
):
    await ada.gets("/v2/account")
    for _ in range(15):
        await bob.places(side="sell", qty=10)
        await ada.places(qty=10)
    # The views advance between two reads.
    monkeypatch.setattr(server.views, "catch_up", lambda: server.views.step(1))

    accounts = [await ada.gets("/v2/account") for _ in range(12)]

    assert {each["equity"] for each in accounts} == {"2000000"}
    assert len({each["cash"] for each in accounts}) > 2


async def test_the_wallet_splits_the_ledger_into_held_and_available(ada: Person):
    await ada.places(qty=10, limit_price=100)

    wallet = await ada.gets("/v2/wallet")

    assert (wallet["ledger"], wallet["held"], wallet["available"]) == (
        "1000000",
        "1000",
        "999000",
    )


async def test_transactions_are_signed_and_carry_the_balance_after_them(
    ada: Person, bob: Person
):
    await ada.places(side="sell", qty=4)
    await bob.places(qty=4)

    newest, *_ = await bob.gets("/v2/wallet/transactions")

    assert (newest["type"], newest["amount"]) == ("buy", "-400")
    assert (newest["balance"], newest["qty"]) == ("999600", "4")
    assert newest["cause"]


async def test_a_transaction_reveals_nothing_about_the_other_side(
    ada: Person, bob: Person
):
    for _ in range(2):
        await ada.places(side="sell", qty=2)
    bought = await bob.places(qty=4)
    await ada.places(side="sell", qty=4)
    await bob.sends("POST", "/v2/orders", order(qty=4), Idempotency_Key="the-key")

    hers = (await ada.gets("/v2/wallet/transactions"))[:3]

    causes = {each["cause"] for each in hers}
    assert len(causes) == 3, "one cause for several fills reveals one order of his"
    for secret in (bought["id"], bob.user_id, "the-key"):
        assert not any(secret in each for each in causes)


async def test_an_incoming_order_that_trades_is_the_cause_of_its_transactions(
    ada: Person, bob: Person
):
    await ada.places(side="sell", qty=4)
    bought = await bob.places(qty=4)

    his, *_ = await bob.gets("/v2/wallet/transactions")

    assert his["cause"] == his["order_id"] == bought["id"]


async def test_transactions_are_filtered_by_type_and_paged_by_the_last_one_seen(
    ada: Person, admin: Person
):
    for amount in "123":
        await admin.does(deposit(ada.account_id, amount))

    async def amounts(query: str) -> list[str]:
        deposits = await ada.gets(f"/v2/wallet/transactions?type=deposit&{query}")
        return [each["amount"] for each in deposits]

    (last,) = await ada.gets("/v2/wallet/transactions?limit=1")
    token = last["log_position"]
    assert await amounts("limit=2") == ["3", "2"]
    assert await amounts(f"limit=2&page_token={token}") == ["2", "1"]
    assert await amounts("direction=asc") == ["1000000", "1", "2", "3"]


@pytest.mark.rule("VIEW-20")
async def test_a_page_of_transactions_names_the_next_one(ada: Person, admin: Person):
    for amount in "123":
        await admin.does(deposit(ada.account_id, amount))
    path = "/v2/wallet/transactions?type=deposit&limit=3"

    first = await ada.request("GET", path)

    token = first.headers["Bourse-Next-Page"]
    rest = await ada.request("GET", f"{path}&page_token={token}")
    assert [each["amount"] for each in rest.json()] == ["1000000"]
    assert "Bourse-Next-Page" not in rest.headers


async def test_an_unknown_type_of_transaction_is_refused(ada: Person):
    response = await ada.request("GET", "/v2/wallet/transactions?type=gift")

    assert response.status_code == 422
    assert response.json()["field"] == "type"


async def test_a_position_reports_its_price_and_the_basis(ada: Person):
    (position,) = await ada.gets("/v2/positions")

    assert position == await ada.gets("/v2/positions/ACME")
    assert position == await ada.gets(f"/v2/positions/{position['asset_id']}")
    assert (position["qty"], position["qty_available"]) == ("10000", "10000")
    assert (position["current_price"], position["price_basis"]) == ("100", "reference")
    assert position["avg_entry_price"] == "90"
    assert position["market_value"] == "1000000"
    assert position["unrealized_pl"] == "100000"
    assert position["unrealized_plpc"] == "0.1111"


async def test_an_instrument_without_shares_has_no_position(ada: Person, admin: Person):
    await admin.list_asset("XYZ")

    for name in ("XYZ", "NONE"):
        response = await ada.request("GET", f"/v2/positions/{name}")
        assert response.status_code == 404
        response = await ada.request("DELETE", f"/v2/positions/{name}")
        assert response.status_code == 404


async def test_a_position_is_closed_by_a_market_order(ada: Person, bob: Person):
    await bob.places(qty=6_000, limit_price=99)

    order = await ada.sends("DELETE", "/v2/positions/ACME")

    assert (order["side"], order["type"], order["qty"]) == ("sell", "market", "10000")
    assert (order["status"], order["filled_qty"]) == ("canceled", "6000")


async def test_a_part_of_a_position_is_closed_by_quantity_or_percentage(ada: Person):
    by_quantity = await ada.sends("DELETE", "/v2/positions/ACME?qty=7")
    by_percentage = await ada.sends("DELETE", "/v2/positions/ACME?percentage=12.505")

    assert by_quantity["qty"] == "7"
    assert by_percentage["qty"] == "1250"


async def test_an_invalid_part_of_a_position_is_refused(ada: Person):
    for query in (
        "qty=7&percentage=5",
        "percentage=0",
        "percentage=101",
        "percentage=nan",
        "percentage=0.000001",
        "qty=1e400",
        "qty=1.5",
        "qty=x",
        "qty=",
        "qty=1_0",
        "qty=%201",
        "qty=\uff15",
        "percentage=1_0",
    ):
        response = await ada.request("DELETE", f"/v2/positions/ACME?{query}")
        assert response.status_code == 422, query


async def test_closing_once_with_a_key_sells_once(ada: Person, bob: Person):
    await bob.places(qty=10_000, limit_price=99)

    first = await ada.request("DELETE", "/v2/positions/ACME", Idempotency_Key="c")
    again = await ada.request("DELETE", "/v2/positions/ACME", Idempotency_Key="c")

    assert first.json()["filled_qty"] == "10000"
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"


async def test_all_positions_are_closed_each_with_its_own_status(ada: Person):
    await ada.places(side="sell", qty=1, limit_price=150)

    blocked = await ada.request("DELETE", "/v2/positions")
    freed = await ada.request("DELETE", "/v2/positions?cancel_orders=True")

    assert (blocked.status_code, freed.status_code) == (207, 207)
    (refused,) = blocked.json()
    assert (refused["symbol"], refused["status"]) == ("ACME", 403)
    assert refused["body"]["held_for_orders"] == "1"
    (closed,) = freed.json()
    assert (closed["status"], closed["body"]["qty"]) == (200, "10000")


async def test_a_repeated_close_all_with_a_key_closes_no_later_position(
    ada: Person, bob: Person, admin: Person
):
    await bob.places(qty=4_000, limit_price=99)
    path, key = "/v2/positions?cancel_orders=true", {"Idempotency_Key": "all"}

    first = await ada.request("DELETE", path, **key)
    await admin.list_asset("LATER")
    await admin.does(grant(ada.account_id, "LATER", 5, "1"))
    resting = await ada.places(qty=1, limit_price=50)
    again = await ada.request("DELETE", path, **key)
    other = await ada.request("DELETE", "/v2/positions", **key)

    (closed,) = first.json()
    assert closed["body"]["filled_qty"] == "4000"
    assert again.json() == first.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert (other.status_code, other.json()["code"]) == (409, 40910000)
    assert [each["id"] for each in await ada.gets("/v2/orders")] == [resting["id"]]


async def test_a_repeated_close_all_with_a_key_retries_refused_positions(
    ada: Person,
):
    order = await ada.places(side="sell", qty=1, limit_price=150)
    key = {"Idempotency_Key": "all"}

    refused = await ada.request("DELETE", "/v2/positions", **key)
    await ada.sends("DELETE", f"/v2/orders/{order['id']}")
    again = await ada.request("DELETE", "/v2/positions", **key)

    assert [each["status"] for each in refused.json()] == [403]
    assert [each["status"] for each in again.json()] == [200]


async def test_the_owner_can_suspend_trading(ada: Person):
    settings = await ada.sends(
        "PATCH", "/v2/account/configurations", {"suspend_trade": True}
    )

    assert settings["suspend_trade"] is True
    assert settings == await ada.gets("/v2/account/configurations")
    response = await ada.order()
    assert response.status_code == 403
    assert response.json()["reason"] == "trading-suspended"
    assert (await ada.gets("/v2/account"))["trade_suspended_by_user"] is True


async def test_a_fixed_setting_accepts_only_its_value(ada: Person):
    settings = await ada.gets("/v2/account/configurations")

    same = await ada.request("PATCH", "/v2/account/configurations", settings)
    other = await ada.request(
        "PATCH", "/v2/account/configurations", {"fractional_trading": True}
    )

    assert same.status_code == 200
    assert other.status_code == 422
    assert other.json()["code"] == 42210000
    assert "not supported yet" in other.json()["message"]
