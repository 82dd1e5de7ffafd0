"""The reference market as a scenario's market."""

import copy

from tests.support import reference_words as words
from tests.support.ladder import Ladder, Level, Resting
from tests.support.reference_market import ReferenceMarket
from tests.support.scenario import (
    HOUSE,
    Action,
    Balances,
    Cancel,
    CancelAll,
    Ended,
    Halt,
    Outcome,
    Place,
    Prefer,
    Replace,
    Resume,
    Roll,
    Session,
    Terms,
    Trade,
    TurnedAway,
)


class Reference:
    """The numbered rules in their simplest form."""

    def __init__(self) -> None:
        self._market = ReferenceMarket(tick=100, lot=1, reference=100_000)

    def open(self, name: str, balances: Balances) -> None:
        self._market.accounts[name] = words.Account(
            balances.cash, balances.shares, balances.cost
        )

    def carry_out(self, action: Action) -> list[Outcome]:
        try:
            self._ask(action)
        except words.Refused as refusal:
            return [TurnedAway("refused", refusal.code, refusal.bound)]
        happened, self._market.happened = self._market.happened, []
        return [self._outcome(each) for each in happened]

    def _ask(self, action: Action) -> None:
        market = self._market
        match action:
            case Place():
                market.place(self._slip(action))
            case Replace():
                market.replace(
                    action.owner,
                    action.order_id,
                    action.new_id,
                    quantity=action.quantity,
                    price=action.price,
                    tif=action.time_in_force,
                )
            case Cancel("administrator"):
                market.cancel(action.owner, action.order_id, "administrative")
            case Cancel():
                market.cancel(action.by, action.order_id)
            case CancelAll():
                market.cancel_all(action.owner)
            case Prefer():
                market.prefer(action.owner, action.prevention, action.suspended)
            case Terms(changes):
                market.change(
                    {name.replace("-", "_"): value for name, value in changes.items()}
                )
            case Halt():
                market.halted = True
            case Resume():
                market.halted = False
            case Roll():
                market.roll(action.session)

    def _slip(self, order: Place) -> words.Slip:
        return words.Slip(
            order.order_id,
            order.owner,
            order.side,
            order.quantity,
            order.price,
            order.time_in_force,
            order.prevention or self._market.accounts[order.owner].stp,
        )

    def _outcome(self, happened: words.Happened) -> Outcome:
        match happened:
            case words.Fill():
                return Trade(
                    happened.number,
                    happened.quantity,
                    happened.price,
                    self._market.slip(happened.maker).owner,
                    happened.maker_fee,
                    happened.taker_fee,
                )
            case words.Ended():
                owner = self._market.slip(happened.order_id).owner
                return Ended(owner, happened.quantity, happened.price, happened.reason)
            case words.Rejected():
                return TurnedAway("rejected", happened.reason, happened.bound)
            case words.Rolled():
                return Session(happened.date, happened.close)

    def ladder(self) -> Ladder:
        return Ladder(self._levels("buy"), self._levels("sell"))

    def _levels(self, side: str) -> list[Level]:
        queue = self._market.queue(side)
        prices = dict.fromkeys(slip.price or 0 for slip in queue)
        return [
            Level(
                price,
                tuple(Resting(s.leaves, s.owner) for s in queue if s.price == price),
            )
            for price in prices
        ]

    def balances(self, name: str) -> Balances:
        market = self._market
        if name == HOUSE:
            return Balances(market.house, 0, 0)
        account = market.accounts[name]
        return Balances(
            account.cash,
            account.shares,
            account.cost,
            market.held(name),
            market.reserved(name),
        )

    def status(self, owner: str, order_id: str) -> str:
        return self._market.find(owner, order_id).status

    def restart(self) -> None:
        self._market = copy.deepcopy(self._market)
