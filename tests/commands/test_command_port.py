"""The states that the command port returns, before and after a command's facts."""

from uuid import UUID

import pytest

from benchmarks.opening import SESSION, list_instrument, listing
from commands.command_port import AccountState, MarketState, UserState
from commands.messages import ChangeMemoryWindow, GrantRole, SetPreferences
from domain.errors import NotLeading
from domain.events.market import Halted, ListingChanged, Resumed
from domain.events.register import AnyEvent, Recorded
from domain.events.user import RoleGranted
from domain.events.wallet import FundsDeposited, PreferencesChanged
from domain.memory_window import MemoryWindow
from domain.vocabulary import Role, SelfTradePrevention
from tests.support.spec import AT, META
from tests.support.writers import Server

ACME = MarketState(listing(), None, SESSION, AT)
NEW_TERMS = listing(name="Acme Incorporated", tick_size=1)


def of(stream: str, *events: AnyEvent) -> list[Recorded]:
    """Return the facts of one command on one stream."""
    return [Recorded(stream, version, each) for version, each in enumerate(events, 1)]


# --- a state after a command's facts ---


@pytest.mark.parametrize(
    ("events", "listing_after", "halt_reason"),
    [
        pytest.param([], ACME.listing, None, id="nothing changed"),
        pytest.param([ListingChanged(META, NEW_TERMS)], NEW_TERMS, None, id="edited"),
        pytest.param([Halted(META, "news")], ACME.listing, "news", id="halted"),
        pytest.param(
            [Halted(META, "news"), Resumed(META)], ACME.listing, None, id="resumed"
        ),
        pytest.param(
            [Halted(META, "news"), ListingChanged(META, NEW_TERMS)],
            NEW_TERMS,
            "news",
            id="each fact changes only what it names",
        ),
        pytest.param(
            [FundsDeposited(META, 5, "wire 7")], ACME.listing, None, id="not a market's"
        ),
    ],
)
def test_a_market_after_its_facts(
    events: list[AnyEvent], listing_after: object, halt_reason: str | None
):
    after = ACME.after(of("market-ACME", *events))

    assert (after.listing, after.halt_reason) == (listing_after, halt_reason)
    assert (after.session_date, after.listed_at) == (SESSION, AT)


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        pytest.param(
            [], AccountState(SelfTradePrevention.CANCEL_NEWEST, False), id="none"
        ),
        pytest.param(
            [PreferencesChanged(META, SelfTradePrevention.CANCEL_BOTH, True)],
            AccountState(SelfTradePrevention.CANCEL_BOTH, True),
            id="both settings",
        ),
        pytest.param(
            [
                PreferencesChanged(META, SelfTradePrevention.CANCEL_BOTH, True),
                PreferencesChanged(META, SelfTradePrevention.CANCEL_OLDEST, False),
            ],
            AccountState(SelfTradePrevention.CANCEL_OLDEST, False),
            id="the last fact counts",
        ),
        pytest.param(
            [FundsDeposited(META, 5, "wire 7")],
            AccountState(SelfTradePrevention.CANCEL_NEWEST, False),
            id="cash is not a setting",
        ),
    ],
)
def test_an_account_after_its_facts(events: list[AnyEvent], expected: AccountState):
    before = AccountState(SelfTradePrevention.CANCEL_NEWEST, False)

    assert before.after(of("wallet-alice", *events)) == expected


@pytest.mark.parametrize(
    ("events", "roles"),
    [
        pytest.param([], (Role.TRADER,), id="none"),
        pytest.param([RoleGranted(META, Role.TRADER)], (Role.TRADER,), id="again"),
        pytest.param(
            [RoleGranted(META, Role.ADMIN)], (Role.TRADER, Role.ADMIN), id="another"
        ),
        pytest.param(
            [FundsDeposited(META, 5, "wire 7")], (Role.TRADER,), id="not a role"
        ),
    ],
)
def test_a_user_after_their_facts(events: list[AnyEvent], roles: tuple[Role, ...]):
    assert UserState((Role.TRADER,)).after(of("user-1", *events)) == UserState(roles)


def test_roles_are_in_the_order_of_the_vocabulary_not_of_the_facts():
    granted = of("user-1", *(RoleGranted(META, role) for role in reversed(Role)))

    assert UserState(()).after(granted) == UserState(tuple(Role))


# --- the states of the writer ---


async def test_a_market_has_two_names(server: Server):
    asset_id = str(UUID(int=7))
    terms = listing("OTHER", asset_id=asset_id)
    await server.writer.execute(list_instrument(server.meta, terms))

    by_symbol = await server.writer.market("OTHER")
    by_id = await server.writer.market(asset_id)

    assert by_symbol is not None
    assert by_symbol == by_id
    assert (by_symbol.listing, by_symbol.session_date) == (terms, SESSION)
    assert await server.writer.market("NONE") is None
    assert await server.writer.market(str(UUID(int=8))) is None


async def test_the_answer_to_a_halt_leads_to_the_state_of_the_market(server: Server):
    before = await server.writer.market("ACME")
    assert before is not None

    answer = await server.writer.execute(server.halt())

    assert before.after(answer.facts) == await server.writer.market("ACME")
    assert before.after(answer.facts).halt_reason == "news"


async def test_the_answer_to_new_settings_leads_to_the_state_of_the_account(
    server: Server,
):
    before = await server.writer.account("alice")
    assert before is not None

    prevention = SelfTradePrevention.CANCEL_BOTH
    command = SetPreferences(server.meta(), "alice", prevention, suspend_trade=True)
    answer = await server.writer.execute(command)

    assert before.after(answer.facts) == await server.writer.account("alice")
    assert before.after(answer.facts) == AccountState(prevention, True)
    assert await server.writer.account("nobody") is None


async def test_the_answer_to_a_grant_leads_to_the_roles_of_the_user(server: Server):
    before = await server.writer.user("user")
    assert before is not None

    command = GrantRole(server.meta(), "user", Role.ADMIN)
    answer = await server.writer.execute(command)

    assert before.after(answer.facts) == await server.writer.user("user")
    assert Role.ADMIN in before.after(answer.facts).roles
    assert await server.writer.user("nobody") is None


async def test_the_answer_to_new_limits_leads_to_the_memory_window(server: Server):
    before = await server.writer.memory_window()

    answer = await server.writer.execute(ChangeMemoryWindow(server.meta(), own_max=5))

    assert before.after(answer.facts) == await server.writer.memory_window()
    assert before.after(answer.facts) == MemoryWindow(own_max=5)
    assert before.after(of("wallet-alice", FundsDeposited(META, 5, "wire"))) == before


@pytest.mark.rule("COMMAND-06")
async def test_a_writer_that_does_not_lead_returns_no_state(server: Server):
    assert not server.writer.stopping
    await server.stop()
    assert server.writer.stopping

    for query in (
        server.writer.market("ACME"),
        server.writer.account("alice"),
        server.writer.user("user"),
        server.writer.memory_window(),
        server.writer.streams(),
    ):
        with pytest.raises(NotLeading):
            await query
