"""The nine keys of Alpaca's account configurations, and ours.

Most of the nine describe what Bourse does not have (margin, options, fractions); they
say so with a value that is fixed.
"""

from typing import Literal

import msgspec

from domain.vocabulary import SelfTradePrevention

Checks = Literal["both", "entry", "exit"]
Emails = Literal["all", "none"]


class Configurations(msgspec.Struct):
    """An account's settings. `self_trade_prevention` is Bourse's own."""

    dtbp_check: Checks = "entry"
    fractional_trading: bool = False
    max_margin_multiplier: str = "1"
    max_options_trading_level: int = 0
    no_shorting: bool = True
    pdt_check: Checks = "entry"
    ptp_no_exception_entry: bool = False
    suspend_trade: bool = False
    trade_confirm_email: Emails = "none"
    self_trade_prevention: SelfTradePrevention = SelfTradePrevention.CANCEL_NEWEST


#: The others are fixed.
CHANGEABLE = frozenset({"suspend_trade", "self_trade_prevention"})
