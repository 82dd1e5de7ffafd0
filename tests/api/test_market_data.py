"""Public market data over HTTP, without a login."""

from datetime import UTC, datetime

from tests.support.people import Person
from tests.support.served import Served


async def test_assets_are_found_by_symbol_id_and_part_of_the_name(
    server: Served, admin: Person
):
    acme = await admin.list_asset("ACME", name="Acme Corporation")
    await admin.list_asset("GLBX", name="Globex", exchange="NYSE")
    client = server.client()

    async def symbols(query: str) -> list[str]:
        assets = (await client.get(f"/v2/assets?{query}")).json()
        return [each["symbol"] for each in assets]

    assert await symbols("") == ["ACME", "GLBX"]
    assert await symbols("q=corp") == ["ACME"]
    assert await symbols("exchange=NYSE") == ["GLBX"]
    assert await symbols("status=active&asset_class=us_equity") == ["ACME", "GLBX"]
    assert await symbols("status=inactive") == []
    assert (await client.get("/v2/assets/ACME")).json()["id"] == acme["id"]
    assert (await client.get(f"/v2/assets/{acme['id']}")).json()["symbol"] == "ACME"
    missing = await client.get("/v2/assets/NONE")
    assert (missing.status_code, missing.json()["code"]) == (404, 40410000)


async def test_a_halted_asset_is_not_tradable_and_says_why(admin: Person):
    await admin.list_asset()
    halted = await admin.sends(
        "POST", "/v2/admin/assets/ACME/halt", {"reason": "news pending"}
    )

    assert halted["tradable"] is False
    asset = await admin.gets("/v2/assets/ACME")
    assert (asset["tradable"], asset["halt_reason"]) == (False, "news pending")
    resumed = await admin.sends("POST", "/v2/admin/assets/ACME/resume")
    assert resumed["tradable"] is True


async def test_a_book_has_its_levels_best_first(server: Served, ada: Person):
    for price in ("99.5", "99", "99.5"):
        await ada.places(qty=10, limit_price=price)
    placed = await ada.order(side="sell", qty=7, limit_price="101.25")

    response = await server.client().get("/v2/books/ACME")

    book = response.json()
    assert book["bids"] == [["99.5", "20", 2], ["99", "10", 1]]
    assert book["asks"] == [["101.25", "7", 1]]
    position = int(placed.headers["Bourse-Log-Position"])
    assert book["log_position"] == position
    assert int(response.headers["Bourse-Log-Position"]) == position


async def test_a_book_shows_as_many_levels_as_the_query_names(
    server: Served, ada: Person
):
    for price in range(90, 95):
        await ada.places(qty=1, limit_price=price)

    book = (await server.client().get("/v2/books/ACME?depth=2")).json()

    assert [level[0] for level in book["bids"]] == ["94", "93"]


async def test_an_invalid_depth_and_an_unknown_book_are_refused(
    server: Served, ada: Person
):
    client = server.client()

    for query in ("depth=0", "depth=1001", "depth=x", "depth=1e3", "after=x", "x=1"):
        response = await client.get(f"/v2/books/ACME?{query}")
        assert (response.status_code, response.json()["code"]) == (422, 40010001)
    assert (await client.get("/v2/books/NONE")).status_code == 404


async def test_a_price_names_its_basis(server: Served, ada: Person, bob: Person):
    client = server.client()
    before = (await client.get("/v2/prices/ACME")).json()
    await ada.places(side="sell", qty=4, limit_price=101)
    await bob.places(qty=4, limit_price=101)

    price = (await client.get("/v2/prices/ACME")).json()

    assert (before["basis"], before["price"]) == ("reference", "100")
    assert (price["basis"], price["price"], price["last"]) == ("last", "101", "101")
    assert (price["volume"], price["vwap"], price["open"]) == (4, "101", "101")
    assert (await client.get("/v2/prices")).json() == [price]
    assert (await client.get("/v2/prices?symbols=NONE")).json() == []
    assert (await client.get("/v2/prices/NONE")).status_code == 404


async def test_the_history_of_a_price_is_a_series_of_seconds(
    server: Served, ada: Person
):
    await ada.places()
    client = server.client()

    points = (await client.get("/v2/prices/ACME/history")).json()

    assert points[-1]["bid"] == "100"
    assert points[-1]["time"].endswith(".000000Z")
    assert (await client.get("/v2/prices/NONE/history")).status_code == 404
    later = "/v2/prices/ACME/history?after=2999-01-01"
    assert (await client.get(later)).json() == []


async def test_the_newest_trades_of_an_instrument_are_public(
    server: Served, ada: Person, bob: Person
):
    client = server.client()
    assert (await client.get("/v2/trades/ACME")).json() == []
    await ada.places(side="sell", qty=9, limit_price=101)
    for quantity in (2, 3):
        await bob.places(qty=quantity, limit_price=101)

    response = await client.get("/v2/trades/ACME")

    trades = response.json()
    assert [(each["id"], each["qty"]) for each in trades] == [("2", "3"), ("1", "2")]
    assert {each["price"] for each in trades} == {"101"}
    assert {each["taker_side"] for each in trades} == {"buy"}
    assert not any("account" in name or "order" in name for name in trades[0])
    newest = (await client.get("/v2/trades/ACME?limit=1")).json()
    assert newest == trades[:1]
    for query in ("limit=0", "limit=1001", "limit=x", "side=buy"):
        refused = await client.get(f"/v2/trades/ACME?{query}")
        assert (refused.status_code, refused.json()["code"]) == (422, 40010001)
    assert (await client.get("/v2/trades/NONE")).status_code == 404


async def test_the_venue_is_always_open_and_its_day_turns_at_midnight(ada: Person):
    clock = await ada.gets("/v2/clock")

    assert clock["is_open"] is True
    assert clock["next_open"] == clock["next_close"]
    now = datetime.fromisoformat(clock["timestamp"])
    roll = datetime.fromisoformat(clock["next_open"]).astimezone(UTC)
    assert (roll.hour, roll.minute, roll.second) == (0, 0, 0)
    assert 0 < (roll - now).total_seconds() <= 86_400
