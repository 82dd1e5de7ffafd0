"""What an account's owner may set: the nine keys of Alpaca's configurations, and ours.

Most of the nine describe what Bourse does not have (margin, options, fractions): they
say so with a fixed value, and asking for another one is refused in a sentence.
"""

from typing import Literal

import msgspec
from litestar import Response, patch
from litestar.params import JSONBody

from api.calls import GivenCall
from api.refusals import NotSupportedYet
from api.write.answers import answered
from api.write.door import GivenDoor
from commands.messages import SetPreferences
from domain.vocabulary import SelfTradePrevention
from domain.wallet import Wallet

Checks = Literal["both", "entry", "exit"]


class Configurations(msgspec.Struct):
    """An account's settings. The last one is Bourse's own."""

    dtbp_check: Checks = "entry"
    fractional_trading: bool = False
    max_margin_multiplier: str = "1"
    max_options_trading_level: int = 0
    no_shorting: bool = True
    pdt_check: Checks = "entry"
    ptp_no_exception_entry: bool = False
    suspend_trade: bool = False
    trade_confirm_email: Literal["all", "none"] = "none"
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST


class ConfigurationChanges(msgspec.Struct, forbid_unknown_fields=True):
    """What is null or left out stays as it is."""

    dtbp_check: Checks | None = None
    fractional_trading: bool | None = None
    max_margin_multiplier: str | None = None
    max_options_trading_level: int | None = None
    no_shorting: bool | None = None
    pdt_check: Checks | None = None
    ptp_no_exception_entry: bool | None = None
    suspend_trade: bool | None = None
    trade_confirm_email: Literal["all", "none"] | None = None
    self_trade_prevention: SelfTradePrevention | None = None

    def check(self) -> None:
        """Refuse to change what is fixed."""
        fixed = Configurations()
        for name in CHANGEABLE.symmetric_difference(self.__struct_fields__):
            wanted, stands = getattr(self, name), getattr(fixed, name)
            if wanted is not None and wanted != stands:
                raise NotSupportedYet(f"{name} other than {stands} is", name)


CHANGEABLE = frozenset({"suspend_trade", "self_trade_prevention"})


def configurations_of(wallet: Wallet) -> Configurations:
    return Configurations(
        suspend_trade=wallet.suspended,
        self_trade_prevention=wallet.self_trade_prevention,
    )


@patch("/v2/account/configurations", tags=["account"])
async def change_configurations(
    data: JSONBody[ConfigurationChanges], call: GivenCall, door: GivenDoor
) -> Response[Configurations]:
    """Set the account's defaults. `suspend_trade` turns new orders away."""
    data.check()
    account_id = call.caller.account_id
    command = SetPreferences(
        door.meta(call, "configurations", data),
        account_id,
        data.self_trade_prevention,
        data.suspend_trade,
    )
    answer = await door.execute(command)
    wallet = door.writer.exchange.wallet(account_id)
    return answered(configurations_of(wallet), answer)
