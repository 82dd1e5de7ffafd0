"""The port from the API to the write side: commands, and a few named queries.

The writer implements it. All arguments and results are plain data, so an implementation
may also be in another process.
"""

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from commands.answers import Answer
from commands.messages import Command
from domain.events.event import Timestamp
from domain.events.market import Halted, ListingChanged, Resumed
from domain.events.register import Recorded
from domain.events.user import RoleGranted
from domain.events.wallet import PreferencesChanged
from domain.ids import AccountId, AssetId, Stream, Symbol, UserId
from domain.listing import Listing
from domain.memory_window import MemoryWindow
from domain.vocabulary import Role, SelfTradePrevention


class MarketState(msgspec.Struct, frozen=True):
    """A market's listing and session. `halt_reason` is None unless it is halted."""

    listing: Listing
    halt_reason: str | None
    session_date: str
    listed_at: Timestamp

    def after(self, facts: Iterable[Recorded]) -> "MarketState":
        """Return the state after facts of this market."""
        state = self
        for recorded in facts:
            match recorded.event:
                case ListingChanged(listing=listing):
                    state = msgspec.structs.replace(state, listing=listing)
                case Halted(reason=reason):
                    state = msgspec.structs.replace(state, halt_reason=reason)
                case Resumed():
                    state = msgspec.structs.replace(state, halt_reason=None)
                case _:
                    pass
        return state


class AccountState(msgspec.Struct, frozen=True):
    """An account's settings for its orders."""

    self_trade_prevention: SelfTradePrevention
    suspended: bool

    def after(self, facts: Iterable[Recorded]) -> "AccountState":
        """Return the state after facts of this account."""
        state = self
        for recorded in facts:
            event = recorded.event
            if isinstance(event, PreferencesChanged):
                state = AccountState(event.self_trade_prevention, event.suspend_trade)
        return state


class UserState(msgspec.Struct, frozen=True):
    """A user's roles, in the order of the vocabulary."""

    roles: tuple[Role, ...]

    def after(self, facts: Iterable[Recorded]) -> "UserState":
        """Return the state after facts of this user."""
        roles = set(self.roles)
        for recorded in facts:
            if isinstance(recorded.event, RoleGranted):
                roles.add(recorded.event.role)
        return UserState(tuple(role for role in Role if role in roles))


class StreamState(msgspec.Struct, frozen=True):
    """The version of one aggregate, and a hash of its whole state."""

    stream: Stream
    version: int
    hash: str


class CommandPort(Protocol):
    """The write side. Every method may raise NotLeading."""

    async def execute(self, command: Command) -> Answer:
        """Carry out a command and wait until it is durable.

        Raises:
            DomainError: the command was refused, or its commit failed.
            LogUnavailable: the answer to a repeat is in the log, which is unavailable.
        """
        ...

    async def market(self, name: Symbol | AssetId) -> MarketState | None:
        """Return the market with this symbol or asset id."""
        ...

    async def account(self, account_id: AccountId) -> AccountState | None:
        """Return an account's settings."""
        ...

    async def user(self, user_id: UserId) -> UserState | None:
        """Return a user's roles."""
        ...

    async def memory_window(self) -> MemoryWindow:
        """Return how long the writer remembers finished orders and keys."""
        ...

    async def streams(self) -> Sequence[StreamState]:
        """Return version and hash of every aggregate, once all of them are durable."""
        ...
