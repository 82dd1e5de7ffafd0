"""The nine account configurations of Alpaca's API, and one that only Bourse has.

Most of the nine concern margin, options or fractions, which Bourse does not have. Their
values are fixed.
"""

from typing import Literal

import msgspec

from domain.vocabulary import SelfTradePrevention

Checks = Literal["both", "entry", "exit"]
Emails = Literal["all", "none"]


class Configurations(msgspec.Struct):
    """An account's settings. Only Bourse has `self_trade_prevention`."""

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


#: The owner can change these; the others are fixed.
CHANGEABLE = frozenset({"suspend_trade", "self_trade_prevention"})
