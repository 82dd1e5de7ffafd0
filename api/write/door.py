"""What a command needs on its way in: the writer, the time, a new id."""

from collections.abc import Callable
from typing import TypeAlias

from litestar.di import NamedDependency

from api.http.own_writes import Acknowledged
from api.http.request_context import Call
from commands.messages import Command
from commands.ports import Clock, LogUnavailable
from commands.receipts import Repeated, keyed_command_id
from commands.writer import Answer, Writer
from domain.errors import DomainError, NotFound, Unavailable
from domain.events.event import Meta
from domain.ids import AssetId, Symbol
from domain.market import Market

#: An asset id is a UUID; no symbol is as long.
ASSET_ID_LENGTH = 36


class LogOutOfReach(Unavailable):
    """The first answer of a repeated command cannot be read just now."""

    code = "log-unavailable"

    def __init__(self) -> None:
        super().__init__("the log cannot be reached just now; send it again")


class WriteDoor:
    """Hands commands to the writer."""

    def __init__(
        self,
        writer: Writer,
        clock: Clock,
        new_id: Callable[[], str],
        acknowledged: Acknowledged,
    ) -> None:
        self.writer = writer
        self.clock = clock
        self.new_id = new_id
        self.acknowledged = acknowledged

    def check_leading(self) -> None:
        """Refuse what rests on the writer's memory where there is none."""
        self.writer.check_leading()

    def meta(self, call: Call, *content: object) -> Meta:
        """Who and when. With an `Idempotency-Key`, `content` is what must not differ
        when the key is used again."""
        if call.key is None:
            command_id = self.new_id()
        else:
            command_id = keyed_command_id(call.caller.user_id, call.key, *content)
        return Meta(self.clock.now(), call.caller.user_id, command_id, call.correlation)

    async def execute(self, command: Command) -> Answer:
        """Carry out a command and wait until it is durable."""
        try:
            answer = await self.writer.execute(command)
        except LogUnavailable as reason:
            raise LogOutOfReach from reason
        self.acknowledged.note(command.meta.actor, answer.position)
        return answer

    async def first_answer(self, repeated: Repeated) -> Answer:
        """What a command was answered when it was carried out before."""
        try:
            return await self.writer.repeated_answer(repeated)
        except LogUnavailable as reason:
            raise LogOutOfReach from reason

    async def carried_out(self, meta: Meta) -> Answer | None:
        """The first answer, where this `Idempotency-Key` was used before."""
        try:
            self.writer.exchange.receipts.check_command(meta.command_id)
        except Repeated as repeated:
            return await self.first_answer(repeated)
        return None

    def note(self, command: Command) -> None:
        """Submit a command whose outcome nobody waits for."""
        try:
            self.writer.submit(command)
        except (DomainError, Repeated):
            # The refusal that it notes goes out all the same.
            return

    def market(self, name: Symbol | AssetId) -> Market | None:
        """The market of a symbol, or of an asset id in a symbol's place."""
        markets = self.writer.exchange.markets
        market = markets.get(name)
        if market is None and len(name) == ASSET_ID_LENGTH:
            for each in markets.values():
                if each.listing.asset_id == name:
                    return each
        return market

    def listed(self, name: Symbol | AssetId) -> Market:
        """Raises NotFound where nothing of that name is listed."""
        self.check_leading()
        market = self.market(name)
        if market is None:
            raise NotFound("asset", name)
        return market


GivenDoor: TypeAlias = NamedDependency[WriteDoor]
