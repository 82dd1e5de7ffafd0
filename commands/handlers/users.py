"""Handlers for registration, roles and refusals."""

from commands.companions import NoteRecorded, RolesOf, SignIn
from commands.messages import (
    GrantRole,
    NoteAccessRefused,
    NoteLoginFailed,
    NoteOperationForced,
    Register,
)
from commands.state.exchange import Exchange
from domain.accounts.user import User
from domain.accounts.wallet import Wallet
from domain.errors import AlreadyExists, NotFound
from domain.events.security import (
    AccessRefused,
    LoginFailed,
    OperationForced,
    SecurityEvent,
)
from domain.vocabulary import WalletKind


def register(exchange: Exchange, command: Register) -> None:
    """Register a user: claim the address, add user and account, store credentials.

    Raises:
        AlreadyExists: the address, the user or the account exists.
    """
    claim = exchange.claim(command.claim)
    claim.check()
    if command.user_id in exchange.users or command.account_id in exchange.wallets:
        raise AlreadyExists("this user or account exists already")
    exchange.add(claim)
    claim.take(command.user_id, meta=command.meta)
    user = User(command.user_id, exchange.outbox)
    exchange.add(user)
    user.register(
        command.account_id,
        claim=command.claim,
        email_sealed=command.email_sealed,
        full_name_sealed=command.full_name_sealed,
        meta=command.meta,
    )
    wallet = Wallet(command.account_id, exchange.outbox)
    exchange.add(wallet)
    wallet.open(command.user_id, WalletKind.TRADER, meta=command.meta)
    exchange.companions.append(
        SignIn(
            command.claim,
            command.user_id,
            command.account_id,
            command.password_hash,
            user.all_roles,
        )
    )


def grant_role(exchange: Exchange, command: GrantRole) -> None:
    """Grant a role and update the credentials for the next login."""
    user = exchange.users.get(command.user_id)
    if user is None:
        raise NotFound("user", command.user_id)
    if user.grant(command.role, meta=command.meta):
        exchange.companions.append(RolesOf(command.user_id, user.all_roles))


def note_login_failed(exchange: Exchange, command: NoteLoginFailed) -> None:
    """Record a failed login, unless the minute's limit is reached."""
    _note(exchange, LoginFailed(command.meta, command.claim))


def note_access_refused(exchange: Exchange, command: NoteAccessRefused) -> None:
    """Record refused access, unless the minute's limit is reached."""
    _note(exchange, AccessRefused(command.meta, command.route))


def note_operation_forced(exchange: Exchange, command: NoteOperationForced) -> None:
    """Record that an operator forced an operation, such as a restore."""
    meta = command.meta
    exchange.security.force(
        OperationForced(meta, command.operation, command.condition, command.subject)
    )
    exchange.companions.append(NoteRecorded(meta.command_id))


def _note(exchange: Exchange, refusal: SecurityEvent) -> None:
    if exchange.security.note(refusal):
        exchange.companions.append(NoteRecorded(refusal.meta.command_id))
