"""The write door: sends commands to the port and returns their answers."""

from typing import TypeAlias

import msgspec
from litestar.di import NamedDependency

from api.http.own_writes import OwnWrites
from api.http.request_context import Call, correlation_for
from api.wire.names import instrument_name
from api.wire.order_reader import OrderReader
from commands.answers import Answer
from commands.command_port import CommandPort
from commands.keys import content_digest
from commands.messages import Command
from commands.ports import LogUnavailable, NewId, WatchedClock
from domain.errors import NotFound, Unavailable
from domain.events.event import Meta
from domain.ids import AssetId, Symbol


class LogOutOfReach(Unavailable):
    """The log is unavailable, and the answer needs it."""

    code = "log-unavailable"

    def __init__(self) -> None:
        super().__init__("the log is unavailable; send the request again")


class Instrument(msgspec.Struct, frozen=True, gc=False):
    """The two names of an instrument. Neither changes."""

    symbol: Symbol
    asset_id: AssetId


class WriteDoor:
    """Sends commands to the port and notes the log position of each answer."""

    def __init__(
        self,
        port: CommandPort,
        orders: OrderReader,
        *,
        clock: WatchedClock,
        new_id: NewId,
        own_writes: OwnWrites,
    ) -> None:
        self.port = port
        self.orders = orders
        self.clock = clock
        self.new_id = new_id
        self._own_writes = own_writes
        #: Each instrument twice: by its symbol and by its asset id.
        self.instruments: dict[str, Instrument] = {}

    def meta(self, call: Call, *content: object) -> Meta:
        """Return the meta of a command. `content` is what a repeat must not change."""
        key = call.key
        command_id = self.new_id()
        return Meta(
            self.clock.now(),
            call.caller.user_id,
            command_id,
            correlation_for(call.notes, command_id),
            key,
            None if key is None else content_digest(*content),
        )

    async def execute(self, command: Command) -> Answer:
        """Carry out a command and wait until it is durable."""
        try:
            answer = await self.port.execute(command)
        except LogUnavailable as reason:
            raise LogOutOfReach from reason
        if answer.position:
            self._own_writes.note(command.meta.actor, answer.position)
        return answer

    async def instrument(self, name: Symbol | AssetId) -> Instrument | None:
        """Return the instrument with this symbol or asset id, in any spelling.

        Raises:
            BadParameter: the name is neither a symbol nor an asset id.
        """
        known = self.instruments.get(name)
        if known is not None:
            return known
        name = instrument_name(name)
        known = self.instruments.get(name)
        if known is not None:
            return known
        market = await self.port.market(name)
        if market is None:
            return None
        listing = market.listing
        known = Instrument(listing.symbol, listing.asset_id)
        self.instruments[known.symbol] = self.instruments[known.asset_id] = known
        return known

    async def require_instrument(self, name: Symbol | AssetId) -> Instrument:
        """Return the instrument with this symbol or asset id.

        Raises:
            NotFound: no instrument has this name.
        """
        known = await self.instrument(name)
        if known is None:
            raise NotFound("asset", name)
        return known


DoorDependency: TypeAlias = NamedDependency[WriteDoor]
