"""The requests that tests of every kind begin with, whichever client sends them."""

from typing import Any, NamedTuple
from uuid import uuid4

PASSWORD = "correct horse battery"


class Call(NamedTuple):
    """One request: its method, its path and its body in JSON."""

    method: str
    path: str
    body: Any = None


def register(email: str, password: str = PASSWORD, name: str = "A Person") -> Call:
    body = {"email": email, "password": password, "full_name": name}
    return Call("POST", "/auth/register", body)


def log_in(email: str, password: str = PASSWORD) -> Call:
    return Call("POST", "/auth/login", {"email": email, "password": password})


def list_asset(symbol: str = "ACME", **terms: object) -> Call:
    body = {"symbol": symbol, "name": symbol, "exchange": "NASDAQ"}
    terms = {"reference_price": "100.00", **terms}
    return Call("POST", "/v2/admin/assets", {**body, **terms})


def halt(symbol: str = "ACME") -> Call:
    return Call("POST", f"/v2/admin/assets/{symbol}/halt")


def deposit(account_id: str, amount: str) -> Call:
    path = f"/v2/admin/accounts/{account_id}/deposits"
    return Call("POST", path, {"amount": amount, "reference": str(uuid4())})


def grant(account_id: str, symbol: str, quantity: int, price: str) -> Call:
    path = f"/v2/admin/accounts/{account_id}/shares"
    terms = {"symbol": symbol, "qty": quantity, "price": price}
    return Call("POST", path, {**terms, "reference": str(uuid4())})


def place(**terms: object) -> Call:
    return Call("POST", "/v2/orders", order(**terms))


def order(**terms: object) -> dict[str, object]:
    """Return a limit order to buy 10 ACME at 100, except for the terms."""
    body: dict[str, object] = {
        "symbol": "ACME",
        "qty": 10,
        "side": "buy",
        "type": "limit",
        "time_in_force": "gtc",
        "limit_price": "100",
    }
    body |= terms
    return {name: value for name, value in body.items() if value is not None}
