"""Cash, shares and statements of accounts, as their owners see them."""

import pytest

from commands.messages import SetPreferences
from domain.ids import HOUSE_ACCOUNT
from domain.money import dollars
from domain.vocabulary import SelfTradePrevention, WalletKind
from projections.accounts.balances import balance
from projections.accounts.statements import (
    Movement,
    Movements,
    MovementType,
    movements,
)
from tests.support.story import ACME, Story
from tests.support.views import all_positions, open_positions, position


@pytest.mark.rule("VIEW-10")
async def test_cash_set_aside_for_an_order_is_held():
    story = Story()
    order = story.buy("ada", 10, at="99")

    shown = await balance(story.views, "ada")

    assert shown is not None
    assert (shown.ledger, shown.held) == (dollars(1_000_000), dollars(990))
    assert shown.available == dollars(999_010)
    assert (shown.kind, shown.created_at) == (WalletKind.TRADER, story.now)
    assert shown.user_id == "user-of-ada"

    story.cancel(order)
    shown = await balance(story.views, "ada")
    assert shown is not None
    assert shown.held == 0
    assert shown.log_position == story.facts[-1].position


@pytest.mark.rule("VIEW-10")
async def test_preferences_are_shown_with_the_balance():
    story = Story()
    oldest = SelfTradePrevention.CANCEL_OLDEST
    story.tell(SetPreferences(story.meta(), story.present("ada"), oldest, True))

    shown = await balance(story.views, "ada")

    assert shown is not None
    assert (shown.self_trade_prevention, shown.suspend_trade) == (oldest, True)
    assert await balance(story.views, "nobody") is None


@pytest.mark.rule("VIEW-11")
async def test_selling_realizes_proceeds_less_fee_less_average_cost():
    story = Story(maker_fee=10)
    story.sell("ada", 400, at="100")
    story.buy("ben", 400, at="100")

    shown = await position(story.views, "ada", ACME)

    assert shown is not None
    assert (shown.quantity, shown.cost_basis) == (600, 600 * dollars(90))
    # Proceeds of 400 at 100 dollars, less a fee of 10 basis points, less 400 at 90.
    assert shown.realized == dollars(40_000 - 40 - 36_000)
    (bought,) = await open_positions(story.views, "ben")
    assert (bought.quantity, bought.cost_basis) == (1_400, dollars(90_000 + 40_000))
    assert bought.realized == 0


@pytest.mark.rule("VIEW-11")
async def test_a_position_of_no_shares_is_kept_but_not_listed():
    story = Story()
    story.sell("ada", 1_000, at="100")
    story.buy("ben", 1_000, at="100")

    (kept,) = await all_positions(story.views, "ada")

    assert (kept.quantity, kept.cost_basis) == (0, 0)
    assert kept.realized == dollars(10_000)
    assert await open_positions(story.views, "ada") == []
    assert await position(story.views, "ada", ACME) is None
    assert await position(story.views, "ben", "OTHER") is None
    assert await all_positions(story.views, "nobody") == []


@pytest.mark.rule("VIEW-11")
async def test_shares_set_aside_for_an_order_are_reserved():
    story = Story()
    order = story.sell("ada", 400, at="100")

    shown = await position(story.views, "ada", ACME)
    assert shown is not None
    assert (shown.reserved, shown.available) == (400, 600)

    story.cancel(order)
    shown = await position(story.views, "ada", ACME)
    assert shown is not None
    assert (shown.reserved, shown.available) == (0, 1_000)


@pytest.fixture
def traded() -> Story:
    """Let Ada sell 10 shares and then buy 4, with fees for the taker."""
    story = Story(taker_fee=100)
    story.sell("ada", 10, at="100")
    story.wait()
    story.buy("ben", 10, at="100")
    story.wait()
    story.sell("ben", 4, at="50")
    story.wait()
    story.buy("ada", 4, at="50")
    return story


@pytest.mark.rule("VIEW-16")
async def test_a_statement_tells_every_movement_with_the_balance_after_it(
    traded: Story,
):
    lines = (await movements(traded.views, "ada", newest_first=False)).lines

    assert [(line.type, line.amount, line.quantity) for line in lines] == [
        (MovementType.DEPOSIT, dollars(1_000_000), 0),
        (MovementType.SHARES_GRANTED, 0, 1_000),
        (MovementType.SELL, dollars(1_000), -10),
        (MovementType.BUY, -dollars(202), 4),
    ]
    assert [line.balance for line in lines] == [
        dollars(n) for n in (1_000_000, 1_000_000, 1_001_000, 1_000_798)
    ]
    bought = lines[-1]
    assert (bought.fee, bought.price, bought.symbol) == (dollars(2), dollars(50), ACME)
    assert (bought.order_id, bought.trade_id) == ("order-004", 2)
    assert (bought.actor, bought.at) == ("user-of-ada", traded.now)
    assert bought.cause == traded.facts[-1].event.meta.command_id
    assert lines[0].reference == "opening"


@pytest.mark.rule("VIEW-16")
async def test_the_house_has_a_statement_of_its_fees(traded: Story):
    lines = (await movements(traded.views, HOUSE_ACCOUNT)).lines

    assert [(line.type, line.amount) for line in lines] == [
        (MovementType.FEE, dollars(2)),
        (MovementType.FEE, dollars(10)),
    ]


@pytest.mark.rule("VIEW-16")
async def test_a_statement_is_narrowed_by_type_instrument_and_time(traded: Story):
    async def types(**asked: object) -> list[str]:
        page = await movements(traded.views, "ada", **asked)
        return [line.type.value for line in page.lines]

    start = traded.now - 3_000_000
    trades = (MovementType.BUY, MovementType.SELL)
    assert await types(types=trades) == ["buy", "sell"]
    assert await types(symbols=[ACME]) == ["buy", "sell", "shares_granted"]
    assert await types(symbols=["NONE"]) == []
    assert await types(after=start) == ["buy", "sell"]
    assert await types(after=start, until=traded.now) == ["sell"]
    assert await types(until=start) == []
    assert await types(limit=1) == ["buy"]


@pytest.mark.rule("VIEW-16")
@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_statement_is_paged_by_log_position(
    traded: Story, newest_first: bool, monkeypatch: pytest.MonkeyPatch
):
    everything = await movements(traded.views, "ben", newest_first=newest_first)
    monkeypatch.setattr("projections.accounts.statements.PAGE", 2)
    assert await movements(traded.views, "ben", newest_first=newest_first) == everything

    found: list[Movement] = []
    seen = None
    while (
        page := await movements(
            traded.views,
            "ben",
            newest_first=newest_first,
            limit=1,
            after_position=None if newest_first else seen,
            until_position=seen if newest_first else None,
        )
    ).lines:
        found += page.lines
        seen = page.last

    assert page.last is None
    assert found == everything.lines
    assert len(found) == 4


@pytest.mark.rule("VIEW-20")
@pytest.mark.parametrize("newest_first", [True, False])
async def test_a_filter_without_a_match_examines_few_movements_and_says_where_it_ended(
    traded: Story, newest_first: bool, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("projections.accounts.statements.PAGE", 1)
    monkeypatch.setattr("projections.accounts.statements.EXAMINED_MAX", 3)
    every = await movements(traded.views, "ben", newest_first=newest_first, limit=3)

    first = await movements(
        traded.views, "ben", newest_first=newest_first, symbols=["NONE"]
    )

    assert first == Movements([], every.lines[-1].log_position)
    rest = await movements(
        traded.views,
        "ben",
        newest_first=newest_first,
        symbols=["NONE"],
        after_position=None if newest_first else first.last,
        until_position=first.last if newest_first else None,
    )
    assert rest == Movements([], None)
