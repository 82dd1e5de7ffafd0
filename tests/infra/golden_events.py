"""One example of each event, whose stored form the golden files pin.

Every field has a distinct value that is not its default, so a lost or swapped field
shows.
"""

from collections.abc import Sequence

from domain.events.clock import ClockConfirmed
from domain.events.event import Meta
from domain.events.keys import KeyUsed, MemoryWindowChanged
from domain.events.market import (
    DayRollBegan,
    DayRolled,
    Halted,
    Listed,
    ListingChanged,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderRejected,
    OrderReplaced,
    Resumed,
    TradeExecuted,
)
from domain.events.register import AnyEvent
from domain.events.security import AccessRefused, LoginFailed, OperationForced
from domain.events.user import EmailClaimed, RoleGranted, UserRegistered
from domain.events.wallet import (
    CancelAllAccepted,
    CancelAllCompleted,
    FeeCollected,
    FundsDeposited,
    FundsHeld,
    FundsReleased,
    OpenOrderCapSet,
    PreferencesChanged,
    SharesGranted,
    SharesReleased,
    SharesReserved,
    TradeSettled,
    WalletOpened,
)
from domain.listing import Listing
from domain.vocabulary import (
    CancelReason,
    OrderType,
    RejectReason,
    Role,
    SelfTradePrevention,
    Side,
    TimeInForce,
    WalletKind,
)

META = Meta(
    at=1_763_930_096_123_456,
    actor="019ab2c3-0000-7000-8000-00000000000a",
    command_id="019ab2c3-0000-7000-8000-00000000000c",
    correlation="019ab2c3-0000-7000-8000-0000000000ff",
)
ALICE = "019ab2c3-0000-7000-8000-0000000000a1"
BOB = "019ab2c3-0000-7000-8000-0000000000b0"
BUY = "019ab2c3-0000-7000-8000-000000000b01"
SELL = "019ab2c3-0000-7000-8000-000000000501"
LISTING = Listing(
    symbol="AAPL",
    asset_id="019ab2c3-0000-7000-8000-0000000000aa",
    name="Apple Inc. – Ordinary “A”",
    exchange="NASDAQ",
    tick_size=100,
    lot_size=1,
    reference_price=1_875_000,
    price_band=2_000,
    collar=400,
    maker_fee=1,
    taker_fee=3,
    description="Computers",
    sector="Technology",
    logo_url="https://example.com/aapl.svg",
    shares_outstanding=15_000_000_000,
)

MARKET: Sequence[AnyEvent] = [
    Listed(META, LISTING, session_date="2025-11-23"),
    ListingChanged(META, LISTING),
    Halted(META, reason="news pending"),
    Resumed(META),
    DayRollBegan(META, session_date="2025-11-24"),
    DayRolled(META, session_date="2025-11-24", previous_close=1_875_100),
    OrderAccepted(
        META,
        order_id=BUY,
        client_order_id="mine-1",
        account_id=ALICE,
        side=Side.BUY,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=300,
        limit_price=1_875_200,
        worst_price=1_875_300,
        resting=100,
        self_trade_prevention=SelfTradePrevention.CANCEL_OLDEST,
    ),
    OrderRejected(
        META,
        order_id=SELL,
        client_order_id="mine-2",
        account_id=BOB,
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.DAY,
        quantity=50,
        limit_price=9_000_000,
        reason=RejectReason.PRICE_OUTSIDE_BAND,
        bound=2_250_000,
        self_trade_prevention=SelfTradePrevention.CANCEL_NEWEST,
    ),
    TradeExecuted(
        META,
        trade_id=77,
        price=1_875_000,
        quantity=200,
        taker_side=Side.BUY,
        maker_order_id=SELL,
        maker_account_id=BOB,
        maker_leaves=25,
        maker_fee=37_500,
        taker_order_id=BUY,
        taker_account_id=ALICE,
        taker_leaves=100,
        taker_fee=112_500,
    ),
    OrderCanceled(
        META,
        order_id=BUY,
        account_id=ALICE,
        side=Side.BUY,
        quantity=100,
        resting_price=1_875_200,
        reason=CancelReason.ADMINISTRATIVE,
        note="entered by mistake",
    ),
    OrderExpired(
        META,
        order_id=SELL,
        account_id=BOB,
        side=Side.SELL,
        quantity=25,
        resting_price=1_876_000,
    ),
    OrderReplaced(
        META,
        order_id=SELL,
        replaced_by="019ab2c3-0000-7000-8000-000000000502",
        client_order_id="mine-3",
        account_id=BOB,
        side=Side.SELL,
        order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.GTC,
        quantity=400,
        limit_price=1_876_100,
        filled=200,
        filled_notional=375_000_000,
        removed=25,
        removed_price=1_876_000,
        resting=199,
        keeps_priority=True,
        self_trade_prevention=SelfTradePrevention.CANCEL_BOTH,
    ),
]
WALLET: Sequence[AnyEvent] = [
    WalletOpened(META, user_id=ALICE, kind=WalletKind.TRADER),
    CancelAllAccepted(META, symbols=("AAPL", "GOOG")),
    CancelAllCompleted(META),
    OpenOrderCapSet(META, max_open_orders=50_000),
    PreferencesChanged(
        META,
        self_trade_prevention=SelfTradePrevention.CANCEL_BOTH,
        suspend_trade=True,
    ),
    FundsDeposited(META, amount=10_000_000_000, reference="wire-1"),
    SharesGranted(
        META, symbol="AAPL", quantity=10_000, price=1_500_000, reference="grant-1"
    ),
    FundsHeld(META, hold_id=BUY, amount=562_728_900, per_share=1_875_763),
    FundsReleased(META, hold_id=BUY, amount=187_576_300),
    SharesReserved(META, order_id=SELL, symbol="AAPL", quantity=225),
    SharesReleased(META, order_id=SELL, symbol="AAPL", quantity=25),
    TradeSettled(
        META,
        order_id=BUY,
        trade_id=77,
        symbol="AAPL",
        side=Side.BUY,
        price=1_875_000,
        quantity=200,
        fee=112_500,
        held=375_152_600,
        cost=375_112_500,
    ),
    FeeCollected(META, symbol="AAPL", trade_id=77, amount=150_000),
]
USER: Sequence[AnyEvent] = [
    UserRegistered(
        META,
        account_id=ALICE,
        claim="5f0c" * 16,
        email_sealed="sealed-email",
        full_name_sealed="sealed-name",
    ),
    RoleGranted(META, role=Role.ADMIN),
    EmailClaimed(META, user_id=ALICE),
    LoginFailed(META, claim="5f0c" * 16),
    AccessRefused(META, route="POST /v2/admin/assets"),
    OperationForced(
        META,
        operation="change-listing",
        condition="orders-outside-band",
        subject="ACME",
    ),
    KeyUsed(META, parts=("AAPL", "GOOG")),
    MemoryWindowChanged(META, count_max=100_000, age_max=3_600_000_000, own_max=50),
    ClockConfirmed(META, ahead=864_000_000_000),
]
EXAMPLES: list[AnyEvent] = [*MARKET, *WALLET, *USER]
