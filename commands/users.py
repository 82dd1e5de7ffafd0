"""How people sign up and get their roles, and what is noted of what else they ask."""

from commands.exchange import Exchange
from commands.messages import (
    GrantRole,
    NoteAccessRefused,
    NoteLoginFailed,
    Register,
    UseKey,
)
from domain.errors import AlreadyExists, NotFound
from domain.events.security import AccessRefused, LoginFailed
from domain.user import User
from domain.vocabulary import WalletKind
from domain.wallet import Wallet


def register(exchange: Exchange, command: Register) -> None:
    """Sign up: the address is claimed, the user begins, and so does the account."""
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
        password_hash=command.password_hash,
        meta=command.meta,
    )
    wallet = Wallet(command.account_id, exchange.outbox)
    exchange.add(wallet)
    wallet.open(command.user_id, WalletKind.TRADER, meta=command.meta)


def grant_role(exchange: Exchange, command: GrantRole) -> None:
    user = exchange.users.get(command.user_id)
    if user is None:
        raise NotFound("user", command.user_id)
    user.grant(command.role, meta=command.meta)


def use_key(exchange: Exchange, command: UseKey) -> None:
    exchange.keys.use(command.parts, meta=command.meta)


def note_login_failed(exchange: Exchange, command: NoteLoginFailed) -> None:
    exchange.security.note(LoginFailed(command.meta, command.claim))


def note_access_refused(exchange: Exchange, command: NoteAccessRefused) -> None:
    exchange.security.note(AccessRefused(command.meta, command.route))
