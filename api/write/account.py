"""Account settings: the owner changes two of them; the others are fixed."""

import msgspec
from litestar import Response, patch
from litestar.params import JSONBody

from api.http.request_context import CallDependency
from api.http.request_errors import NotSupportedYet
from api.wire.configurations import CHANGEABLE, Checks, Configurations, Emails
from api.write.answers import response_of
from api.write.door import DoorDependency
from commands.messages import SetPreferences
from domain.errors import NotFound
from domain.vocabulary import SelfTradePrevention


class ConfigurationChanges(msgspec.Struct, forbid_unknown_fields=True):
    """New settings. A setting that is null or missing stays as it is."""

    dtbp_check: Checks | None = None
    fractional_trading: bool | None = None
    max_margin_multiplier: str | None = None
    max_options_trading_level: int | None = None
    no_shorting: bool | None = None
    pdt_check: Checks | None = None
    ptp_no_exception_entry: bool | None = None
    suspend_trade: bool | None = None
    trade_confirm_email: Emails | None = None
    self_trade_prevention: SelfTradePrevention | None = None

    def check(self) -> None:
        """Refuse to change a fixed setting."""
        fixed = Configurations()
        for name in CHANGEABLE.symmetric_difference(self.__struct_fields__):
            new, only = getattr(self, name), getattr(fixed, name)
            if new is not None and new != only:
                raise NotSupportedYet(f"{name} other than {only} is", name)


@patch("/v2/account/configurations", tags=["account"])
async def change_configurations(
    data: JSONBody[ConfigurationChanges], call: CallDependency, door: DoorDependency
) -> Response[Configurations]:
    """Change the account's settings. While `suspend_trade` is true, the account cannot
    place orders."""
    data.check()
    account_id = call.caller.account_id
    # Read first: once the command is durable, this writer may have lost the lease.
    before = await door.port.account(account_id)
    if before is None:
        raise NotFound("account", account_id)
    command = SetPreferences(
        door.meta(call, "configurations", data),
        account_id,
        data.self_trade_prevention,
        data.suspend_trade,
    )
    answer = await door.execute(command)
    now = before if answer.repeated else before.after(answer.facts)
    configurations = Configurations(
        suspend_trade=now.suspended,
        self_trade_prevention=now.self_trade_prevention,
    )
    return response_of(configurations, answer)
