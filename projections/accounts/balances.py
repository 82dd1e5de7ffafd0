"""The cash of each account: ledger, held, and the account's owner.

available = ledger - held, and none of the three is ever negative.
"""

from typing import ClassVar

import msgspec

from domain.accounts.settlement import cash_moved
from domain.events.event import Event, Timestamp
from domain.events.register import Fact
from domain.events.wallet import (
    FeeCollected,
    FundsDeposited,
    FundsHeld,
    FundsReleased,
    PreferencesChanged,
    TradeSettled,
    WalletOpened,
)
from domain.ids import LOG_START, AccountId, LogPosition, UserId, account_of
from domain.money import NO_MONEY, Money
from domain.vocabulary import SelfTradePrevention, Side, WalletKind
from projections.projection import Projection, Rows, needs, on
from projections.readable import decoding
from projections.store import ReadResult, ReadRows, Request, View, Views

VIEW = View("balances")
ACCOUNTS = "accounts"


class Balance(msgspec.Struct, array_like=True, gc=False):
    """One account's cash and standing preferences, as of `log_position`."""

    account_id: AccountId
    user_id: UserId
    kind: WalletKind
    created_at: Timestamp
    ledger: Money = NO_MONEY
    held: Money = NO_MONEY
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST
    suspend_trade: bool = False
    log_position: LogPosition = LOG_START

    @property
    def available(self) -> Money:
        """The cash that no hold sets aside."""
        return self.ledger - self.held


class BalancesProjection(Projection):
    """The fold of everything that moves or holds cash."""

    view: ClassVar[View] = VIEW

    def __init__(self) -> None:
        self._accounts = Rows(ACCOUNTS, Balance)
        super().__init__(self._accounts)

    def _account(self, fact: Fact) -> Balance:
        balance = self._accounts.change(account_of(fact.stream))
        balance.log_position = fact.position
        return balance

    @needs(
        PreferencesChanged,
        FundsDeposited,
        FundsHeld,
        FundsReleased,
        TradeSettled,
        FeeCollected,
    )
    def _touches(self, _event: Event, fact: Fact) -> None:
        self._accounts.want(account_of(fact.stream))

    @on(WalletOpened)
    def _opened(self, event: WalletOpened, fact: Fact) -> None:
        account_id = account_of(fact.stream)
        self._accounts.put(
            account_id,
            Balance(
                account_id,
                event.user_id,
                event.kind,
                event.meta.at,
                log_position=fact.position,
            ),
        )

    @on(PreferencesChanged)
    def _preferred(self, event: PreferencesChanged, fact: Fact) -> None:
        balance = self._account(fact)
        balance.self_trade_prevention = event.self_trade_prevention
        balance.suspend_trade = event.suspend_trade

    @on(FundsDeposited)
    def _deposited(self, event: FundsDeposited, fact: Fact) -> None:
        self._account(fact).ledger += event.amount

    @on(FundsHeld)
    def _held(self, event: FundsHeld, fact: Fact) -> None:
        self._account(fact).held += event.amount

    @on(FundsReleased)
    def _released(self, event: FundsReleased, fact: Fact) -> None:
        self._account(fact).held -= event.amount

    @on(TradeSettled)
    def _settled(self, event: TradeSettled, fact: Fact) -> None:
        balance = self._account(fact)
        balance.ledger += cash_moved(event)
        if event.side is Side.BUY:
            balance.held -= event.held

    @on(FeeCollected)
    def _collected(self, event: FeeCollected, fact: Fact) -> None:
        self._account(fact).ledger += event.amount


def balance_request(account_id: AccountId) -> Request:
    """Return the request for one account, to combine with other requests."""
    return Request(VIEW, [ReadRows(ACCOUNTS, [account_id])])


def balance_of(answer: ReadResult) -> Balance | None:
    """Decode the answer to a `balance_request`; None if there is no such account."""
    ((stored,),) = answer.replies
    with decoding(VIEW, answer):
        return None if stored is None else msgspec.json.decode(stored, type=Balance)


async def balance(views: Views, account_id: AccountId) -> Balance | None:
    """Return one account's cash; None if there is no such account."""
    (answer,) = await views.read_at_once([balance_request(account_id)])
    return balance_of(answer)
