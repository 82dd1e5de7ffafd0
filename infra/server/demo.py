"""The demonstration market that `BOURSE_DEMO=1` seeds, and its file `demo.json`.

Everything goes through the writer with fixed references. Seeding again, after a crash
half way or on a new start, adds nothing. A log with other markets stays as it is:
nobody wants money and an administrator there that they never asked for.
"""

import asyncio
import secrets
from pathlib import Path

import msgspec

from commands.companions import SignIn
from commands.messages import (
    Command,
    Deposit,
    GrantRole,
    GrantShares,
    ListAsset,
    Register,
)
from commands.ports import Clock, Credentials, NewId, PasswordHasher, PersonalVault
from commands.writer.writer import Writer
from domain.errors import AlreadyExists, Conflict
from domain.events.event import Meta
from domain.ids import SYSTEM, AccountId, Symbol
from domain.listing import Listing
from domain.money import Quantity, dollars, dollars_a_share
from domain.vocabulary import Role

#: Symbol, name, reference price, sector, shares outstanding.
INSTRUMENTS = (
    (Symbol("ACME"), "Acme Corporation", "100.00", "Industrials", 1_000_000_000),
    (Symbol("GLBX"), "Globex Corporation", "42.50", "Technology", 400_000_000),
    (Symbol("INIT"), "Initech Inc.", "17.25", "Technology", 80_000_000),
)
TRADERS = 4
CASH = dollars("1000000")
SHARES = Quantity(10_000)
#: In basis points: as wide as that of a thinly traded share, and about the fees of a
#: large venue, which charges who takes and not who makes.
PRICE_BAND = 2_000
MAKER_FEE, TAKER_FEE = 0, 3
REFERENCE = "demo"


class Login(msgspec.Struct):
    email: str
    password: str


class Trader(Login):
    account_id: AccountId


class Demo(msgspec.Struct):
    """The content of `demo.json`."""

    base_url: str
    admin: Login
    traders: list[Trader]
    symbols: list[Symbol]


class DemoMarket:
    """The market's seeding, and its file."""

    def __init__(
        self,
        writer: Writer,
        *,
        clock: Clock,
        new_id: NewId,
        credentials: Credentials,
        vault: PersonalVault,
        hasher: PasswordHasher,
        session_date: str,
    ) -> None:
        self.writer = writer
        self.clock = clock
        self.new_id = new_id
        self.credentials = credentials
        self.vault = vault
        self.hasher = hasher
        self.session_date = session_date

    async def seed(self, path: Path, base_url: str) -> Demo | None:
        """Seed what is missing of the market, write its file, and return the content.

        Return None if the log has markets that did not come from this file.
        """
        demo = _read(path)
        if self.writer.exchange.markets and not await self._began_log(demo):
            return None
        demo = demo or _fresh(base_url)
        demo.base_url = base_url
        # Written first: after an interruption the next start knows the passwords.
        _write(path, demo)
        # The administrator first: the next start recognizes its seeding by this user.
        admin = await self._user(demo.admin, "Demo Administrator")
        await self._once(GrantRole(self._meta(), admin.user_id, Role.ADMIN))
        for row in INSTRUMENTS:
            await self._list(*row)
        for number, trader in enumerate(demo.traders, 1):
            user = await self._user(trader, f"Demo Trader {number}")
            trader.account_id = user.account_id
            await self._fund(trader.account_id)
        _write(path, demo)
        return demo

    async def _began_log(self, demo: Demo | None) -> bool:
        """Return whether the market of this file began the log."""
        return demo is not None and await self._sign_in(demo.admin) is not None

    async def _sign_in(self, login: Login) -> SignIn | None:
        claim = self.vault.claim(login.email)
        return await asyncio.to_thread(self.credentials.of, claim)

    async def _list(
        self, symbol: Symbol, name: str, price: str, sector: str, shares: int
    ) -> None:
        if symbol in self.writer.exchange.markets:
            return
        listing = Listing(
            symbol=symbol,
            asset_id=self.new_id(),
            name=name,
            exchange="NASDAQ",
            tick_size=dollars_a_share("0.01"),
            lot_size=Quantity(1),
            reference_price=dollars_a_share(price),
            price_band=PRICE_BAND,
            maker_fee=MAKER_FEE,
            taker_fee=TAKER_FEE,
            sector=sector,
            shares_outstanding=shares,
        )
        await self._once(ListAsset(self._meta(), listing, self.session_date))

    async def _user(self, login: Login, full_name: str) -> SignIn:
        user = await self._sign_in(login)
        if user is None:
            await self._register(login, full_name)
            user = await self._sign_in(login)
        assert user is not None, "a registration commits its credentials"
        return user

    async def _register(self, login: Login, full_name: str) -> None:
        claim = self.vault.claim(login.email)
        user_id = self.new_id()
        vault, hasher = self.vault, self.hasher
        email, name = await asyncio.to_thread(
            lambda: (vault.seal(user_id, login.email), vault.seal(user_id, full_name))
        )
        hashed = await asyncio.to_thread(hasher.hash, login.password)
        await self._once(
            Register(self._meta(), user_id, self.new_id(), claim, email, name, hashed)
        )

    async def _fund(self, account_id: AccountId) -> None:
        await self._once(Deposit(self._meta(), account_id, CASH, REFERENCE))
        for symbol, _, price, _, _ in INSTRUMENTS:
            reference, cost = f"{REFERENCE} {symbol}", dollars_a_share(price)
            await self._once(
                GrantShares(self._meta(), account_id, symbol, SHARES, cost, reference)
            )

    async def _once(self, command: Command) -> None:
        try:
            await self.writer.execute(command)
        except (AlreadyExists, Conflict):
            # An older version may have used the reference for another amount.
            return

    def _meta(self) -> Meta:
        return Meta(self.clock.now(), SYSTEM, self.new_id())


def _login(name: str) -> Login:
    return Login(f"{name}@demo.bourse.example", secrets.token_urlsafe(12))


def _fresh(base_url: str) -> Demo:
    traders = [_login(f"trader{number}") for number in range(1, TRADERS + 1)]
    return Demo(
        base_url,
        _login("admin"),
        [Trader(each.email, each.password, AccountId("")) for each in traders],
        [row[0] for row in INSTRUMENTS],
    )


def _read(path: Path) -> Demo | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Demo)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _write(path: Path, demo: Demo) -> None:
    """Write the file whole or not at all, for its owner only: it holds passwords."""
    staging = path.with_suffix(".new")
    staging.touch(mode=0o600)
    staging.write_bytes(msgspec.json.format(msgspec.json.encode(demo)))
    staging.replace(path)
