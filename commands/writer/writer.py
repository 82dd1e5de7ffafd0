"""The writer: decide in memory, commit in groups, answer after the commit.

The writer decides commands one after another on the event loop, in microseconds. Their
facts become durable in groups (`group_commit.py`), while this process holds the lease
(`leadership.py`).
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from commands.answers import Answer, NotHeld, Outcome
from commands.command_port import AccountState, MarketState, StreamState, UserState
from commands.handlers.dispatch import execute
from commands.handlers.parts import EXPANSIONS, Expansion
from commands.messages import CancelAllOrders, Command
from commands.ports import Clock, EventStore, SnapshotStore
from commands.state.exchange import Exchange
from commands.state.frozen import state_hash
from commands.state.register import Repeated
from commands.writer.batch import Known, Pending
from commands.writer.first_answers import first_answer
from commands.writer.group_commit import GroupCommit
from commands.writer.leadership import Leadership, WriterState
from commands.writer.slices import MAY_BEGIN, PendingWork, SliceRunner
from domain.errors import Busy, CommitFailed, DomainError, NotLeading
from domain.events.event import Timestamp
from domain.events.register import Recorded
from domain.ids import LOG_START, AccountId, AssetId, Symbol, UserId, wallet_stream
from domain.memory_window import MemoryWindow
from domain.vocabulary import Role

#: The decision on one command or part, before it is durable.
Decision: TypeAlias = Pending | Known | DomainError

#: After this many facts, the parts of a command wait until those before are durable.
FACTS_OF_TURN = 1_000


class Writer:
    """A `CommandPort` that decides while it holds the lease on the log."""

    def __init__(
        self,
        store: EventStore,
        snapshots: SnapshotStore | None = None,
        *,
        clock: Clock,
        queue_limit: int = 20_000,
        on_state: Callable[[WriterState], None] | None = None,
        on_newest: Callable[[Timestamp], None] | None = None,
    ) -> None:
        self.queue_limit = queue_limit
        self._store = store
        self._commits = GroupCommit()
        self._on_state = on_state
        self._lead = Leadership(
            store, snapshots, self._commits, on_state=self._became, on_newest=on_newest
        )
        self._commits.on_lost = self._lead.abandon
        self._slices = SliceRunner(self.submit, clock, self._lead.abandon)

    def _became(self, state: WriterState) -> None:
        if state is WriterState.LEADER:
            self._slices.resume(self._lead.exchange)
        else:
            self._slices.stop()
        if self._on_state is not None:
            self._on_state(state)

    @property
    def state(self) -> WriterState:
        """Standby, recovering or leader."""
        return self._lead.state

    @property
    def stopping(self) -> bool:
        """Whether this writer gives the lease back and will not lead again."""
        return self._lead.stopping

    @property
    def exchange(self) -> Exchange:
        """The state in memory: empty unless this writer leads."""
        return self._lead.exchange

    @property
    def waiting(self) -> int:
        """The number of commands that wait until they are durable."""
        return self._commits.waiting

    async def run(self) -> None:
        """Acquire the lease and lead, again after each loss, until `stop`."""
        await self._lead.run()

    async def stop(self) -> None:
        """Make the accepted commands durable and give the lease back."""
        await self._lead.stop()

    # --- commands ---

    async def execute(self, command: Command) -> Answer:
        """Carry out a command and wait until it is durable.

        Raises:
            DomainError: the command was refused, or its commit failed.
            LogUnavailable: the answer to a repeat is in the log, which is unavailable.
        """
        expand = EXPANSIONS.get(type(command))
        if expand is not None:
            self._check_leading()
            try:
                decisions = await self._decide_parts(expand, command)
            except DomainError as refusal:
                return await self._refused(refusal).answer()
            return await self._answer_parts(decisions)
        try:
            pending = self.submit(command)
        except Repeated as repeated:
            return await self._first_answer(self._known(repeated))
        return await pending.answer()

    def submit(self, command: Command) -> Pending:
        """Decide a command in memory. Await its answer before you report the result.

        Raises:
            DomainError: the command was refused, and nothing was recorded. If the
                refusal rests on facts that are not durable yet, `answer` raises it.
            Repeated: the writer carried out the command before.
        """
        self._check_leading()
        if self._commits.waiting >= self.queue_limit:
            raise Busy
        exchange = self._lead.exchange
        try:
            facts = execute(exchange, command)
        except (DomainError, Repeated) as refusal:
            if exchange.outbox:
                self._lead.abandon()
            if isinstance(refusal, NotHeld):
                refusal.position = self._commits.position
            if isinstance(refusal, Repeated):
                raise
            return self._refused(refusal)
        except BaseException:
            # A defect: memory may hold half of the command.
            self._lead.abandon()
            raise
        pending = self._commits.add(facts, exchange.take_unlocated())
        if type(command) in MAY_BEGIN:
            return self._slices.accepted(exchange, pending, facts)
        return pending

    def _refused(self, refusal: DomainError) -> Pending:
        """Let a refusal wait for the facts it rests on; raise it if none are open."""
        pending = self._commits.refuse(refusal)
        if pending is None:
            raise refusal
        return pending

    def _check_leading(self) -> None:
        """Raise NotLeading unless this writer leads and is not stopping."""
        lead = self._lead
        if lead.state is not WriterState.LEADER or lead.stopping:
            raise NotLeading(standby=lead.state is WriterState.STANDBY)

    async def _decide_parts(
        self, expand: Expansion, command: Command
    ) -> list[tuple[str, Decision]]:
        """Decide all parts of a command, in one turn of the loop if they are small.

        Other commands are decided between the parts after `FACTS_OF_TURN` facts, and
        while a part is carried out in slices.
        """
        decisions: list[tuple[str, Decision]] = []
        facts = 0
        for name, part in expand(self._lead.exchange, command):
            if isinstance(part, CancelAllOrders):
                await self._slices.idle(wallet_stream(part.account_id))
            decision = self._decide_part(part)
            decisions.append((name, decision))
            if not name and _is_refused(decision):
                # It prepares the others, and its refusal is the answer.
                break
            if not isinstance(decision, Pending):
                continue
            facts += len(decision.facts)
            if facts > FACTS_OF_TURN or isinstance(decision, PendingWork):
                facts = 0
                # `_answer_parts` reports a failure.
                with suppress(DomainError):
                    await decision.answer()
        return decisions

    def _decide_part(self, part: Command) -> Decision:
        try:
            return self.submit(part)
        except Repeated as repeated:
            return self._known(repeated)
        except DomainError as refusal:
            return refusal

    async def _answer_parts(self, decisions: Sequence[tuple[str, Decision]]) -> Answer:
        """Wait until all parts are durable. A refused part without a name fails all.

        The facts of parts without a name are the facts of the answer.
        """
        parts: list[tuple[str, Outcome]] = []
        facts: list[Recorded] = []
        position, is_new = LOG_START, False
        for name, each in decisions:
            try:
                if isinstance(each, DomainError):
                    raise each
                if isinstance(each, Known):
                    answer = await self._first_answer(each)
                else:
                    answer = await each.answer()
            except DomainError as refusal:
                if not name:
                    raise
                parts.append((name, refusal.with_traceback(None)))
                continue
            position = max(position, answer.position)
            is_new = is_new or not answer.repeated
            if name:
                parts.append((name, answer))
            else:
                facts += answer.facts
        repeated = bool(position) and not is_new
        return Answer(position, facts, repeated=repeated, parts=parts)

    def _known(self, repeated: Repeated) -> Known:
        """Keep the batch that a repeat rests on: the writer may drop its memory."""
        return Known(repeated, self._commits.newest())

    async def _first_answer(self, known: Known) -> Answer:
        """Answer a repeated command.

        Raises:
            CommitFailed: the first command was not durable, and the writer dropped it.
        """
        if known.batch is not None:
            await known.batch.durable()
        if known.order_id:
            head = self._commits.position
            return Answer(head, repeated=True, order_id=known.order_id)
        use = known.use
        assert use.position, "the batch of the first command is durable"
        read = self._store.reader.read
        return await asyncio.to_thread(first_answer, read, use.position)

    # --- queries ---

    async def market(self, name: Symbol | AssetId) -> MarketState | None:
        """Return the market with this symbol or asset id."""
        self._check_leading()
        market = self._lead.exchange.find_market(name)
        if market is None:
            return None
        return MarketState(
            market.listing, market.halt_reason, market.session_date, market.listed_at
        )

    async def account(self, account_id: AccountId) -> AccountState | None:
        """Return an account's settings."""
        self._check_leading()
        wallet = self._lead.exchange.wallets.get(account_id)
        if wallet is None:
            return None
        return AccountState(wallet.self_trade_prevention, wallet.suspended)

    async def user(self, user_id: UserId) -> UserState | None:
        """Return a user's roles."""
        self._check_leading()
        user = self._lead.exchange.users.get(user_id)
        if user is None:
            return None
        return UserState(tuple(role for role in Role if role in user.roles))

    async def memory_window(self) -> MemoryWindow:
        """Return how long this writer remembers finished orders and keys."""
        self._check_leading()
        return self._lead.exchange.keys.window

    async def streams(self) -> Sequence[StreamState]:
        """Return version and hash of every aggregate, once all of them are durable.

        Raises:
            CommitFailed: a commit failed, and the writer dropped its memory.
        """
        self._check_leading()
        exchange = self._lead.exchange
        states: list[StreamState] = []
        for stream, aggregate in list(exchange.streams.items()):
            if aggregate.version:
                state = StreamState(stream, aggregate.version, state_hash(aggregate))
                states.append(state)
            # Hashing a large book takes long: let commands in between.
            await asyncio.sleep(0)
        await self._commits.durable()
        if exchange is not self._lead.exchange:
            raise CommitFailed
        return states


def _is_refused(decision: Decision) -> bool:
    if isinstance(decision, Pending):
        return decision.refusal is not None
    return isinstance(decision, DomainError)
